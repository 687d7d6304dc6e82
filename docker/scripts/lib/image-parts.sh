#!/usr/bin/env bash
# Which parts an image is made of, and the checks that each brings in its checks.sh.
#
# A part NAME (dashes become underscores) may define:
#   checks_NAME        checks of the running container
#   ports_NAME         prints the container ports to publish, one a line
#   environment_NAME   prints NAME=VALUE lines for the container
#   serves_NAME        a condition: its services serve; asked after every start
#   leave_NAME         leaves data behind before the container is replaced
#   find_NAME          checks that the next container on the same volume has that data
#   apart_NAME         checks that start containers of their own
#   tmpfs_NAME         prints folders that must be writable when the root is not
#   setuid_NAME        prints the setuid and setgid programs it brings
#   keys_NAME          prints patterns of files in which a private key is no secret, such as self-tests
#   includes_NAME      prints other flavors whose checks hold for it too

PARTS=()

# load_parts: reads the image's labels and sources its parts' checks, ancestors first
load_parts() {
  local flavor addons addon
  flavor="$(label dev.agentpod.flavor)"
  addons="$(label dev.agentpod.addons)"
  load_part base base
  [[ -z ${flavor} ]] || load_part flavors "${flavor}"
  for addon in ${addons//,/ }; do load_part addons "${addon}"; done
}

# load_part base|flavors|addons NAME
load_part() {
  local name=$2 folder="${DOCKER_ROOT}/$1/$2" function="${2//-/_}" included
  [[ $1 != base ]] || folder="${DOCKER_ROOT}/base"
  [[ " ${PARTS[*]-} " != *" ${name} "* ]] || return 0
  [[ -f ${folder}/checks.sh ]] || fail "${IMAGE} says it has '${name}', but there is no ${folder}/checks.sh"
  # shellcheck source=/dev/null
  source "${folder}/checks.sh"
  if declare -F "includes_${function}" > /dev/null; then
    for included in $("includes_${function}"); do load_part flavors "${included}"; done
  fi
  PARTS+=("${name}")
}

# of_each_part KIND: calls the KIND_NAME of every part that has it, in their order
of_each_part() {
  local part function
  for part in "${PARTS[@]}"; do
    function="$1_${part//-/_}"
    if declare -F "${function}" > /dev/null; then "${function}"; fi
  done
}

# parts_with KIND: the names of the parts that have it
parts_with() {
  local part
  for part in "${PARTS[@]}"; do
    if declare -F "$1_${part//-/_}" > /dev/null; then printf '%s\n' "${part}"; fi
  done
}

# check_services WHEN: every part's services serve
check_services() {
  local part
  for part in $(parts_with serves); do
    check "${part} serves $1" wait_until "${SERVING_SECONDS_MAX}" "serves_${part//-/_}"
  done
}
