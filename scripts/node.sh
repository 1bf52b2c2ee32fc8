#!/usr/bin/env bash
# Sees to it that node and npm are there, for the tests with the official JavaScript SDK.
set -euo pipefail

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "node or npm is missing: installing both with apt-get"
  as_root apt-get update -qq
  as_root apt-get install -qq -y --no-install-recommends nodejs npm
fi
