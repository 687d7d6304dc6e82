#!/usr/bin/env bash
# Builds one flavor on agentpod-base, which it pulls when the engine has it not. Prints the image's reference.
#
# Usage: build-flavor.sh FLAVOR [--help]
#
# Environment: as for build-base.sh.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"
# shellcheck source=lib/bake.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/bake.sh"

main() {
  case ${1:-} in
    '') fail "name a flavor: $(names_in flavors | paste --serial --delimiters=' ')" ;;
    -h | --help) usage; exit 0 ;;
  esac
  (($# == 1)) || fail "one flavor at a time; see --help"
  require_part flavors "$1"
  require_engine
  require_image "$(image_ref agentpod-base)" "run build-base.sh first"
  bake "flavor-$1"
}

main "$@"
