#!/usr/bin/env bash
# Sees to it that the MQTT broker mosquitto is there, for the lab of Zigbee2MQTT. It is not left running.
set -euo pipefail

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if ! PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null; then
  echo "mosquitto is missing: installing it with apt-get"
  as_root apt-get update -qq
  # As a package it would be started at once, and with every start of the machine.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends mosquitto
  if command -v systemctl >/dev/null && systemctl is-system-running >/dev/null 2>&1; then
    as_root systemctl disable --now mosquitto
  fi
fi
