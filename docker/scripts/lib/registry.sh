#!/usr/bin/env bash
# What push.sh and login.sh know of the registry. To be sourced after config.sh.

require_registry() {
  [[ ${REGISTRY_URL} != localhost ]] ||
    fail "REGISTRY_URL is not set: say which registry, such as REGISTRY_URL=registry.example.com or 127.0.0.1:5000"
}

# registry_problem TEXT -> what is wrong, from what the engine said, and what would help
registry_problem() {
  case $1 in
    *'incorrect username or password'*) printf '%s knows no such user and password\n' "${REGISTRY_URL}" ;;
    *'no basic auth credentials'* | *'authorization failed'* | *'nauthorized'* | *'authentication required'* | *'denied:'* | *'access denied'*)
      printf '%s wants a login that may push to %s: run login.sh\n' "${REGISTRY_URL}" "${REGISTRY_OWNER}"
      ;;
    *'connection refused'* | *'no such host'* | *'i/o timeout'* | *'deadline exceeded'* | *'Client.Timeout'* | *'unreachable'* | *'EOF'*)
      printf '%s does not answer; check REGISTRY_URL and the network\n' "${REGISTRY_URL}"
      ;;
    *'server gave HTTP response to HTTPS client'*) printf '%s speaks plain HTTP, which engines take from 127.0.0.1 only\n' "${REGISTRY_URL}" ;;
    *'no space left on device'* | *'507 Insufficient Storage'*) printf 'a disk is full, here or at %s\n' "${REGISTRY_URL}" ;;
    *'unexpected status from '*': 5'[0-9][0-9]' '*)
      printf '%s has an error of its own (%s); its log says which, such as a full disk\n' "${REGISTRY_URL}" \
        "$(grep --only-matching --extended-regexp '5[0-9]{2} [A-Z][A-Za-z ]+$' <<< "$1" | tail --lines=1)"
      ;;
    *) printf '%s refused: %s\n' "${REGISTRY_URL}" "$(tail --lines=1 <<< "$1")" ;;
  esac
}
