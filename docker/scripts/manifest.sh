#!/usr/bin/env bash
# Measures the images that are here and writes docker/manifest.json, from which the API tells sizes. Prints
# a table of what each part adds and may add, and fails when a part is over its budget and its README
# has no line "Budget: ..." that says why. An image measured before is not measured again.
#
# Usage: manifest.sh [--check] [--help]
#
#   --check   write nothing; fail when an image differs from the manifest by more than 5 % and 5 MB
#
# Environment: REGISTRY_URL, REGISTRY_OWNER, IMAGE_VERSION as for build-base.sh; MANIFEST_FILE
# (docker/manifest.json).
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"

main() {
  case ${1:-} in
    '' | --check) ;;
    -h | --help) usage; exit 0 ;;
    *) fail "unknown argument '$1'; see --help" ;;
  esac
  require_engine
  local node
  node="$(command -v node || command -v bun)" || fail "Node.js is not installed; the measuring is written in TypeScript"
  exec "${node}" "${DOCKER_ROOT}/../packages/launcher/src/main.mjs" image-manifest "${DOCKER_ROOT}" \
    "${REGISTRY_URL}/${REGISTRY_OWNER}" "${IMAGE_VERSION}" "$(realpath --canonicalize-missing "${MANIFEST_FILE:-${DOCKER_ROOT}/manifest.json}")" "$@"
}

main "$@"
