# Every verb sets up what it needs; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Debian's own is built with profile-guided optimisation; one that was compiled by hand is often a
# third slower.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3.11) python3.11)
BIN := .venv/bin
SDK := tests/wire/sdk/js
READY := .venv/.ready
NODE_READY := $(SDK)/node_modules/.ready
# Home Assistant is large, and is had by asking for it: make test-labs LABS=home_assistant
LABS ?= matter zigbee zwave
LABS_READY := $(foreach lab,$(LABS),labs/$(lab)/$(if $(wildcard labs/$(lab)/package.json),node_modules,.venv)/.ready)
LAB_TESTS := labs $(if $(filter-out home_assistant,$(LABS)),,-k home_assistant)
BROWSER_READY := .venv/.browser-ready
# One more than there are cores, for many tests wait: for a motor, a lease, a clock.
WORKERS ?= $(shell cores=$$(nproc); echo $$((cores < 4 ? cores + 1 : 4)))

.PHONY: help setup demo run test test-crash test-labs simulate bench bench-labs lint docs clean

help: # this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the locked dependencies

demo: $(READY) ## unlock a virtual door with the official SDK and watch what happens; leaves nothing running
	@$(BIN)/python scripts/demo.py

# To try webhooks one listens on this machine, where a server that others use must not knock.
THUMBTURN_WEBHOOK_ALLOW ?= 127.0.0.0/8,::1/128

run: $(READY) ## the server, until Ctrl-C, with a sandbox in ./thumbturn-data
	@$(BIN)/thumbturn serve --webhook-allow "$(THUMBTURN_WEBHOOK_ALLOW)"

test: lint $(NODE_READY) $(BROWSER_READY) ## everything needed, then lint and the whole suite with coverage
	$(BIN)/coverage erase
	$(BIN)/pytest --numprocesses $(WORKERS) --cov --cov-report=term

test-crash: $(READY) ## two hundred rounds of kill -9 among other trouble (`make test` has twenty)
	$(BIN)/pytest tests/crash --crash-rounds=200 --override-ini=faulthandler_timeout=3600

test-labs: $(READY) $(LABS_READY) ## the drivers of real devices on the real programs that they speak to, with devices without a radio
	@scripts/mosquitto.sh
	@$(if $(filter matter,$(LABS)),PYTHON=$(PYTHON) scripts/matter.sh)
	$(BIN)/pytest $(LAB_TESTS) --numprocesses $(words $(LABS)) --dist loadgroup

SEEDS ?= 10000
simulate: $(READY) ## whole lives of the server with trouble everywhere, SEEDS=10000 of them (`make test` has 300), and a tenth as many of two processes
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)
	$(BIN)/python -m tests.simulation --seeds $$(( ($(SEEDS) + 9) / 10 )) --on several
	$(BIN)/python -m tests.simulation.mutants

CASES ?=
bench: $(READY) ## the numbers in docs/benchmarks.md, side by side with the peer; CASES="complete peers" for some
	$(BIN)/python -m bench.run $(addprefix --only ,$(CASES))

bench-labs: $(READY) $(LABS_READY) ## the drivers on those real programs: how quick beside a bare script, and a thousand faults
	@scripts/mosquitto.sh
	@PYTHON=$(PYTHON) scripts/matter.sh
	$(BIN)/python -m bench.run --only zwave_js --only zigbee2mqtt --only matter --json bench/results/labs.json

lint: $(READY) ## ruff, mypy --strict and the directions of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(READY) ## draw and write the generated docs anew
	$(BIN)/python -m tools.write_docs

clean: ## remove everything that a verb has made, except ./thumbturn-data
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
	rm -rf $(SDK)/node_modules labs/*/node_modules labs/*/.venv bench/peer/node_modules bench/results
	find src tests labs tools bench -name __pycache__ -prune -exec rm -rf {} +

$(READY): requirements/locked.txt pyproject.toml
	@scripts/setup.sh $(PYTHON)
	@touch $@

$(BROWSER_READY): scripts/chromium.sh $(READY)
	@scripts/chromium.sh
	@touch $@

$(NODE_READY): $(SDK)/package-lock.json
	@scripts/node.sh
	cd $(SDK) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

labs/home_assistant/.venv/.ready: labs/home_assistant/requirements.txt
	@scripts/home_assistant.sh $(PYTHON)
	@touch $@

labs/%/node_modules/.ready: labs/%/package-lock.json
	@scripts/node.sh
	cd labs/$* && npm ci --omit=dev --no-audit --no-fund --loglevel=error
	@touch $@
