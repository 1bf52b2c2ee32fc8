#!/bin/sh
# Makes `redis-server` available on Debian and its children, without starting one; does nothing when it is there.
set -eu

if command -v redis-server >/dev/null 2>&1; then
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "redis-server is missing and there is no apt-get here: install Redis 7 or newer." >&2
  exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi

$as_root apt-get update
# With this, Debian's scripts leave services alone.
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $as_root apt-get install --yes --no-install-recommends redis-server
