#!/usr/bin/env bash
# Resolves requirements/*.in, one environment for each library, into *.txt with the hash of every file.
set -euo pipefail
cd "$(dirname "$0")/requirements"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"${1:-python3.11}" -m venv "$scratch"
"$scratch/bin/pip" install --quiet --disable-pip-version-check pip-tools
for wanted in *.in; do
  "$scratch/bin/pip-compile" --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
    --output-file "${wanted%.in}.txt" "$wanted"
  sed -i '1i # Made by bench/peers/lock.sh.' "${wanted%.in}.txt"
done
