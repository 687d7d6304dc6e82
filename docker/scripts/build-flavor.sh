#!/usr/bin/env bash
# Builds one flavor on agentpod-base. Prints the image's reference.
#
# Usage: build-flavor.sh FLAVOR [--help]
#
# Environment: as for build-base.sh.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"

main() {
  case ${1:-} in
    '') fail "name a flavor: $(names_in flavors | paste --serial --delimiters=' ')" ;;
    -h | --help) usage; exit 0 ;;
  esac
  (($# == 1)) || fail "one flavor at a time; see --help"
  local flavor=$1 base
  require_part flavors "${flavor}"
  require_engine
  base="$(image_ref agentpod-base)"
  image_exists "${base}" || fail "${base} is not here; run build-base.sh first"
  build_image "$(image_ref "agentpod-${flavor}")" "${DOCKER_ROOT}/flavors/${flavor}" --build-arg "BASE_IMAGE=${base}" ||
    fail "flavor ${flavor} could not be built; the log above says which step failed"
}

main "$@"
