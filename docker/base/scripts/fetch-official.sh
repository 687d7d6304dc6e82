#!/usr/bin/env bash
# Fetches a file from its maker by version and checksum, for the builds of flavors and addons.
#
# Usage: fetch-official.sh NAME "VERSION SHA256_OF_AMD64 SHA256_OF_ARM64" ADDRESS FILE
#
# NAME is the build argument that gives the second, for messages. In ADDRESS stand for this platform:
# {version}, {arch} (amd64, arm64) and {machine} (x86_64, aarch64). Reads TARGETARCH and the secret "ca".
set -Eeuo pipefail

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

(($# == 4)) || fail "Usage: fetch-official.sh NAME SPEC ADDRESS FILE"
name=$1 address=$3 file=$4
read -r version amd64 arm64 <<< "$2" || true
case ${TARGETARCH:-} in
  amd64) sha256=${amd64:-} machine=x86_64 ;;
  arm64) sha256=${arm64:-} machine=aarch64 ;;
  *) fail "${name}: there is none for '${TARGETARCH:-}'" ;;
esac
[[ -n ${version:-} && ${sha256} =~ ^[0-9a-f]{64}$ ]] ||
  fail "the official source is asked for: give ${name}=\"VERSION SHA256_OF_AMD64 SHA256_OF_ARM64\" in versions.env"
address=${address//\{version\}/${version}}
address=${address//\{arch\}/${TARGETARCH}}
address=${address//\{machine\}/${machine}}
options=(--fail --silent --show-error --location --retry 3 --create-dirs --output "${file}")
[[ ! -f /run/secrets/ca ]] || options+=(--cacert /run/secrets/ca)
curl "${options[@]}" "${address}" || fail "${name}: ${address} cannot be fetched; choose another source (${name%_*}_SOURCE)"
actual="$(sha256sum "${file}")"
[[ ${actual%% *} == "${sha256}" ]] || fail "${name}: ${address} has the checksum ${actual%% *}, expected ${sha256}"
