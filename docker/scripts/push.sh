#!/usr/bin/env bash
# Pushes images that are here to their registry and checks that they arrived: the registry is asked for
# the digest. Prints them as REFERENCE@DIGEST, one a line.
#
# Usage: push.sh base
#        push.sh flavor FLAVOR
#        push.sh addon FLAVOR ADDON...    one image: the flavor with these addons
#        push.sh --all                    the base, every flavor, every addon on each flavor
#        push.sh --help
#
# Environment: REGISTRY_URL, REGISTRY_OWNER, IMAGE_VERSION: as the images were built with. Log in with login.sh.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"
# shellcheck source=lib/registry.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/registry.sh"

# chosen ARGUMENT...: the names of the images, one a line
chosen() {
  local what=${1:-} flavor addon
  case ${what} in
    base) (($# == 1)) || fail "base takes no more arguments"; echo agentpod-base ;;
    flavor)
      (($# == 2)) || fail "name one flavor: $(names_in flavors | paste --serial --delimiters=' ')"
      require_part flavors "$2"
      echo "agentpod-$2"
      ;;
    addon)
      (($# >= 3)) || fail "name a flavor and an addon: push.sh addon FLAVOR ADDON"
      require_part flavors "$2"
      for addon in "${@:3}"; do require_part addons "${addon}"; done
      echo "agentpod-$2-$(printf '%s\n' "${@:3}" | LC_ALL=C sort --unique | paste --serial --delimiters=-)"
      ;;
    --all)
      (($# == 1)) || fail "--all takes no more arguments"
      echo agentpod-base
      for flavor in $(names_in flavors); do
        echo "agentpod-${flavor}"
        for addon in $(names_in addons); do echo "agentpod-${flavor}-${addon}"; done
      done
      ;;
    '') fail "say what to push; see --help" ;;
    *) fail "unknown argument '${what}'; see --help" ;;
  esac
}

# push REF; the digest that the registry has afterwards must be the one that was sent
push() {
  local ref=$1 said sent arrived
  log "pushing ${ref}"
  said="$(docker push "${ref}" 2>&1)" || fail "$(registry_problem "${said}")"
  sent="$(grep --only-matching --extended-regexp 'digest: sha256:[0-9a-f]{64}' <<< "${said}" | tail --lines=1)"
  sent=${sent#digest: }
  arrived="$(docker buildx imagetools inspect "${ref}" 2>&1)" ||
    fail "${ref} was sent, but $(registry_problem "${arrived}")"
  arrived="$(sed --quiet --regexp-extended 's/^Digest: +//p' <<< "${arrived}" | head --lines=1)"
  [[ -n ${sent} && ${arrived} == "${sent}" ]] || fail "${ref} was sent as ${sent:-no digest}, and the registry has ${arrived}"
  printf '%s@%s\n' "${ref}" "${arrived}"
}

main() {
  [[ ${1:-} != -h && ${1:-} != --help ]] || { usage; exit 0; }
  local names name
  names="$(chosen "$@")"
  require_registry
  require_engine
  # All are looked for before the first is pushed.
  for name in ${names}; do
    image_exists "$(image_ref "${name}")" || fail "$(image_ref "${name}") is not here; build it first (build.sh --help)"
  done
  for name in ${names}; do push "$(image_ref "${name}")"; done
}

main "$@"
