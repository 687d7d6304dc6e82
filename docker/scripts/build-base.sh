#!/usr/bin/env bash
# Builds agentpod-base, the image every flavor stands on. Prints its reference.
#
# Usage: build-base.sh [--help]
#
# Environment: REGISTRY_URL (localhost), REGISTRY_OWNER (agentpod), IMAGE_VERSION (docker/VERSION),
#   DEBIAN_IMAGE (see versions.env), DEBIAN_MIRROR (address of a Debian archive; the image's own),
#   BUILD_PROGRESS (plain, auto, quiet), CACHE_REPOSITORY (where caches are read, and written with
#   CACHE_WRITE=true, in CACHE_MODE max or min), PLATFORMS (linux/amd64,linux/arm64; this machine's own), ATTESTATIONS
#   (provenance,sbom; none). Proxies, certificates and npm's registry are this machine's own.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"
# shellcheck source=lib/bake.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/bake.sh"

main() {
  case ${1:-} in
    '') ;;
    -h | --help) usage; exit 0 ;;
    *) fail "unknown argument '$1'; see --help" ;;
  esac
  require_engine
  if ! image_exists "${DEBIAN_IMAGE}" && ! docker pull --quiet "${DEBIAN_IMAGE}" > /dev/null 2>&1; then
    fail "${DEBIAN_IMAGE} is neither here nor can it be pulled; docker/scripts/debian-image.sh makes it from a Debian mirror"
  fi
  bake base
}

main "$@"
