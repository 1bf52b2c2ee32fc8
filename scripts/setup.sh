#!/usr/bin/env bash
# Makes .venv hold the dependencies of requirements/locked.txt, and this project, editable.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3.11}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

command -v "$python" >/dev/null || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "thumbturn needs Python 3.11 or newer; $("$python" --version) was found" >&2
  exit 1
}
# Debian's python3 comes without what makes virtual environments.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  echo "python3-venv is missing: installing it with apt-get"
  as_root apt-get update -qq
  as_root apt-get install -qq -y --no-install-recommends python3-venv
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/locked.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
