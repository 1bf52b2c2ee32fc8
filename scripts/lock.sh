#!/usr/bin/env bash
# Resolves the dependencies of pyproject.toml, runtime and dev, in an empty environment,
# and writes the exact versions to requirements/locked.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"${1:-python3.11}" -m venv "$scratch"
pip="$scratch/bin/pip --disable-pip-version-check"
$pip install --quiet --upgrade pip
$pip install --quiet ".[tracing]" --group dev
{
  echo "# Every dependency, runtime and dev, at the version the suite runs with. Made by: scripts/lock.sh"
  $pip freeze --exclude thumbturn
} > requirements/locked.txt
