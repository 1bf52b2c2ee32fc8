#!/usr/bin/env bash
# Sees to it that a browser is there, for the tests of the page on which a person connects an account.
set -euo pipefail

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if ! command -v chromium >/dev/null; then
  echo "chromium is missing: installing it with apt-get"
  as_root apt-get update -qq
  as_root apt-get install -qq -y --no-install-recommends chromium
fi
