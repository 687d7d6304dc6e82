#!/usr/bin/env bash
# How the scripts have images built: docker-bake.hcl with what this machine brings. To be sourced after config.sh.

# bake TARGET...; prints the references of the images, one a line, when all are there. They get their
# names at the end: a build that fails, or is ended, leaves the names as they were.
bake() {
  local started=${SECONDS} target ref refs=() options=() said
  require_engine
  docker buildx version > /dev/null 2>&1 || fail "docker buildx is not installed; the Dockerfiles need BuildKit"
  for target in "$@"; do refs+=("$(target_ref "${target}")"); done
  machine_options
  export REGISTRY_URL REGISTRY_OWNER IMAGE_VERSION DOCKER_ROOT PARENT=image TAG_SUFFIX="-building-$$"
  FLAVORS="$(names_in flavors | paste --serial --delimiters=,)" ADDONS="$(names_in addons | paste --serial --delimiters=,)"
  export FLAVORS ADDONS
  [[ ,${ATTESTATIONS:-}, == *,provenance,* ]] || options+=(--provenance=false)
  trap drop_unnamed EXIT
  trap 'exit 143' TERM INT
  log "building ${refs[*]}"
  said="$(aloud docker buildx bake --file "${DOCKER_ROOT}/docker-bake.hcl" --load --progress "${BUILD_PROGRESS:-plain}" \
    "${options[@]}" "${BAKE_OPTIONS[@]}" "$@")" || fail "$(build_problem "${said}")"
  for ref in "${refs[@]}"; do docker tag "${ref}${TAG_SUFFIX}" "${ref}"; done
  drop_unnamed
  trap - EXIT
  log "built in $((SECONDS - started)) s: ${refs[*]}"
  printf '%s\n' "${refs[@]}"
}

# Takes away the names that images have while they are built; those that others only stand on have one as well.
# The engine weighs every image that it lists, so it is asked for these alone.
drop_unnamed() {
  docker images --format '{{.Repository}}:{{.Tag}}' --filter "reference=${REGISTRY_URL}/${REGISTRY_OWNER}/*:*${TAG_SUFFIX}" \
    --filter "reference=${STEP_REF:-none}${TAG_SUFFIX}" | xargs --no-run-if-empty docker image rm > /dev/null
}

# target_ref TARGET -> the name its image gets
target_ref() {
  case $1 in
    step) printf '%s\n' "${STEP_REF}" ;;
    base) image_ref agentpod-base ;;
    flavor-* | addon-*) image_ref "agentpod-${1#*-}" ;;
  esac
}

# What is wrong, from what the engine said.
build_problem() {
  case $1 in
    *[Nn]'o space left on device'*) printf 'the disk is full: "docker system df" shows what takes it, "docker builder prune" frees the build cache\n' ;;
    *'Cache export is not supported'*) printf "the cache cannot be written: the engine needs the containerd image store (\"features\": {\"containerd-snapshotter\": true})\n" ;;
    *) printf 'an image could not be built; the log above says which step failed\n' ;;
  esac
}

# Runs a command with all its output on stderr, and prints the last of it again on stdout, for the caller to read.
aloud() {
  local line
  "$@" 2>&1 |
    while IFS= read -r line; do
      printf '%s\n' "${line}" >&2
      printf '%s\n' "${line}"
    done | tail --lines=40
}

# What a build takes from this machine: mirrors, proxies, certificates, npm's credentials, and the versions.
# Fills the array BAKE_OPTIONS. Secrets are mounted while a step runs and stay in no layer.
machine_options() {
  [[ -z ${BAKE_OPTIONS[*]-} ]] || return 0
  local npmrc="${NPM_CONFIG_USERCONFIG:-${HOME:-}/.npmrc}" ca name
  BAKE_OPTIONS=(--set "*.args.NPM_REGISTRY=$(npm_setting registry)")
  [[ -z ${DEBIAN_MIRROR:-} ]] || BAKE_OPTIONS+=(--set "*.secrets=id=apt_mirror,env=DEBIAN_MIRROR")
  ca="$(machine_ca)"
  [[ -z ${ca} ]] || BAKE_OPTIONS+=(--set "*.secrets=id=ca,src=${ca}")
  [[ ! -r ${npmrc} ]] || BAKE_OPTIONS+=(--set "*.secrets=id=npmrc,src=${npmrc}")
  for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || BAKE_OPTIONS+=(--set "*.args.${name}")
  done
  while read -r name; do
    BAKE_OPTIONS+=(--set "*.args.${name}=${!name}")
  done < <(sed --quiet --regexp-extended 's/^([A-Z0-9_]+)=.*/\1/p' "${VERSIONS_FILE}")
}

# The certificates of this machine, when it was told to trust more than the usual ones.
machine_ca() {
  local file
  for file in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" "$(npm_setting cafile)"; do
    if [[ -n ${file} && -r ${file} ]]; then
      printf '%s\n' "${file}"
      return
    fi
  done
}

# npm_setting NAME -> its value on this machine; nothing when npm is missing or the value is not set
npm_setting() {
  command -v npm > /dev/null || return 0
  npm config get "$1" 2> /dev/null | grep --invert-match --line-regexp --extended-regexp 'null|undefined' || true
}
