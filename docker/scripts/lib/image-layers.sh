#!/usr/bin/env bash
# Checks that what addons put on the base goes together with what other parts put on it. It is looked at on the
# base alone: on a flavor nobody can tell what is the base's.

# shellcheck disable=SC2154 # container-checks.sh sets them

check_layers() {
  if [[ -n $(label dev.agentpod.flavor) || -z $(label dev.agentpod.addons) ]]; then
    log "no look at the layers: ${IMAGE} is not addons on the base alone"
    return
  fi
  layers_folder="${work}/layers"
  check "the image stands on the base that is here" stands_on_base
  [[ -s ${work}/base-layers ]] || return 0
  check "its layers can be read" read_layers
  check "the addons' layers hide and delete nothing" has_no findings "hides|deletes"
  check "the addons' layers change nothing of the base but the files in composable.txt" has_no findings "changes"
  check "the addons' layers hold no private key, identity or credentials" has_no secrets .
  rm -rf "${layers_folder}"
}

# Writes how many of the image's layers are the base's to the file base-layers.
stands_on_base() {
  local base rootfs='{{range .RootFS.Layers}}{{println .}}{{end}}'
  base="$(image_ref agentpod-base)"
  image_exists "${base}" || { printf '%s is not here; run build-base.sh\n' "${base}"; return 1; }
  docker image inspect --format "${rootfs}" "${base}" | grep . > "${work}/below"
  docker image inspect --format "${rootfs}" "${IMAGE}" | grep . > "${work}/all"
  cmp --quiet "${work}/below" <(head --lines="$(wc --lines < "${work}/below")" "${work}/all") ||
    { printf 'it was built on another one than %s; build it again\n' "${base}"; return 1; }
  wc --lines < "${work}/below" > "${work}/base-layers"
}

# Writes the files findings and secrets, with a line for everything that is wrong.
read_layers() {
  local layers layer
  save_image "${layers_folder}" || return 1
  mapfile -t layers < <(saved_layers "${layers_folder}")
  ((${#layers[@]} > 0)) || return 1
  : > "${work}/secrets"
  for layer in "${layers[@]:$(< "${work}/base-layers")}"; do
    layer_secrets "${layer}" "${work}/layer" >> "${work}/secrets" || return 1
  done
  for layer in "${layers[@]}"; do
    printf '%s\n' LAYER
    tar --list --verbose --numeric-owner --file "${layer}" || return 1
  done > "${work}/listing"
  grep '^/' "${DOCKER_ROOT}/composable.txt" |
    awk -v base_layers="$(< "${work}/base-layers")" "${COMPARE}" - "${work}/listing" > "${work}/findings"
}

# has_no FILE REGEX: the file of findings was written and no line of it fits
has_no() { [[ -f ${work}/$1 ]] && ! grep --extended-regexp -- "$2" "${work}/$1"; }

# Reads the files that may change, then tar's listing of every layer, lowest first. A directory on the way to a
# new file is in the layer as well, so it is compared; of a file that may change, who may use it. A lock that was
# only held is in the layer too: an empty file that stays empty is no change.
# shellcheck disable=SC2016 # awk's own
COMPARE='
  FNR == NR { may_change[$1]; next }
  $1 == "LAYER" { layer += 1; next }
  {
    type = substr($1, 1, 1); use = $1 " " $2; bytes = $3
    sub(/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ /, "")
    if (type == "l") sub(/ -> .*$/, "")
    if (type == "h") { sub(/ link to .*$/, ""); sub(/^h/, "-", use) }
    sub(/^\.?\/?/, "/"); sub(/\/$/, "")
    folder = name = $0; sub(/[^\/]*$/, "", folder); sub(/^.*\//, "", name)
  }
  name == ".wh..wh..opq" {
    if (layer > base_layers) print "hides what others have in " folder
    else for (path in base) if (index(path, folder) == 1) delete base[path]
    next
  }
  name ~ /^\.wh\./ {
    gone = folder substr(name, 5)
    if (layer > base_layers) print "deletes " gone
    else for (path in base) if (path == gone || index(path, gone "/") == 1) delete base[path]
    next
  }
  layer <= base_layers { base[$0] = use; size[$0] = bytes; next }
  !($0 in base) { next }
  base[$0] != use { print "changes " $0 " from " base[$0] " to " use; next }
  type == "-" && bytes + size[$0] == 0 { next }
  type != "d" && !($0 in may_change) { print "changes " $0 }
'
