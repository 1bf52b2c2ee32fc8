#!/usr/bin/env bash
# Gets the real Home Assistant for its lab, in a virtual environment of its own: about 700 MB, in a minute or two.
set -euo pipefail
cd "$(dirname "$0")/../labs/home_assistant"

rm -rf .venv
"$1" -m venv .venv
# The file names every package with its exact version: nothing is chosen here.
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt
