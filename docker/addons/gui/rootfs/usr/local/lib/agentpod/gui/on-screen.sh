#!/usr/bin/env bash
# Runs a program once the screen can be drawn on, which it waits for at most 60 s.
#
# Usage: on-screen.sh PROGRAM [ARGUMENT]...
set -Eeuo pipefail

for ((tries = 0; tries < 600; tries++)); do
  if xset q > /dev/null 2>&1; then exec "$@"; fi
  sleep 0.1
done
printf '%s: the screen %s did not come up\n' "$1" "${DISPLAY}" >&2
exit 1
