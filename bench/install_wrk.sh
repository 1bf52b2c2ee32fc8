#!/bin/sh
# Makes `wrk` available on Debian and its children; says so and changes nothing when it already is.
set -eu

if command -v wrk >/dev/null 2>&1; then
  echo "wrk is installed: $(command -v wrk)"
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "The benchmark's load generator, wrk, is missing and there is no apt-get here: install wrk 4.1 or newer." >&2
  exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi

$as_root apt-get update
DEBIAN_FRONTEND=noninteractive $as_root apt-get install --yes --no-install-recommends wrk
