#!/usr/bin/env bash
# Sees to it that python-matter-server is there, for the lab of Matter, in an environment of its own below
# labs/matter: its wheels and the libraries that they need are found by nobody else.
set -euo pipefail
cd "$(dirname "$0")/../labs/matter"

if [ "$(uname -s)" != Linux ] || ! command -v unshare >/dev/null; then
  echo "the Matter lab needs Linux and unshare: it is skipped"
  exit 0
fi
if cmp -s requirements.txt .venv/installed.txt; then exit 0; fi

rm -rf .venv
"${PYTHON:-python3.11}" -m venv .venv
.venv/bin/pip --disable-pip-version-check --quiet install --no-deps --no-compile -r requirements.txt

# The wheel writes to /data by fixed names; so it writes to where it is started.
.venv/bin/python patch_chip.py .venv/lib/python3*/site-packages/chip/_ChipDeviceCtrl.so

mkdir -p .venv/native
for library in libnl-3.so.200:libnl-3-200 libnl-route-3.so.200:libnl-route-3-200; do
  if ! PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q "${library%%:*}"; then
    scratch=$(mktemp -d)
    if ! (cd "$scratch" && apt-get download -qq "${library##*:}" 2>/dev/null && dpkg -x ./*.deb .); then
      echo "${library##*:} is missing and cannot be fetched: the Matter lab is skipped"
      exit 0
    fi
    find "$scratch" -name "${library%%:*}*" -exec cp -P {} .venv/native/ \;
    rm -rf "$scratch"
  fi
done
cp requirements.txt .venv/installed.txt
