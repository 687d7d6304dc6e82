#!/usr/bin/env bash
# Logs this machine's docker in to the registry that images are pushed to and pulled from.
#
# Usage: login.sh [--help]
#
# Environment: REGISTRY_URL, REGISTRY_USER, and the password as REGISTRY_PASSWORD, as the file
#   REGISTRY_PASSWORD_FILE, or else on stdin. It is on no command line; docker keeps it as its
#   configuration (DOCKER_CONFIG) says.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"
# shellcheck source=lib/registry.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/registry.sh"

password() {
  if [[ -n ${REGISTRY_PASSWORD:-} ]]; then
    printf '%s' "${REGISTRY_PASSWORD}"
  elif [[ -n ${REGISTRY_PASSWORD_FILE:-} ]]; then
    [[ -r ${REGISTRY_PASSWORD_FILE} ]] || fail "REGISTRY_PASSWORD_FILE names a file that cannot be read"
    printf '%s' "$(< "${REGISTRY_PASSWORD_FILE}")"
  elif [[ ! -t 0 ]]; then
    cat
  else
    fail "no password: set REGISTRY_PASSWORD or REGISTRY_PASSWORD_FILE, or hand it in on stdin"
  fi
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help) usage; exit 0 ;;
    *) fail "unknown argument; a password is never one. See --help" ;;
  esac
  require_registry
  [[ -n ${REGISTRY_USER:-} ]] || fail "REGISTRY_USER is not set"
  require_engine
  local secret said
  secret="$(password)"
  [[ -n ${secret} ]] || fail "the password is empty"
  said="$(docker login --username "${REGISTRY_USER}" --password-stdin "${REGISTRY_URL}" 2>&1 <<< "${secret}")" ||
    fail "$(login_problem "${said}")"
  log "logged in to ${REGISTRY_URL} as ${REGISTRY_USER}"
}

login_problem() {
  case $1 in
    *nauthorized* | *'incorrect username'* | *denied*) printf '%s knows no such user and password\n' "${REGISTRY_URL}" ;;
    *) registry_problem "$1" ;;
  esac
}

main "$@"
