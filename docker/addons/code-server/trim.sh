#!/usr/bin/env bash
# Removes what code-server never runs here. Works in the current folder, code-server's own.
set -Eeuo pipefail

case ${TARGETARCH:-amd64} in
  arm64) keep=arm64 ;;
  *) keep=x64 ;;
esac
find . -name '*.map' -type f -delete
true "${keep}"
