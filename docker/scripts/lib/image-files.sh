#!/usr/bin/env bash
# Checks of an image's files and layers; nothing of it is started.

# shellcheck disable=SC2154 # container-checks.sh sets them

check_files() {
  check "only known programs are setuid or setgid" setuid_is_known
  check "nothing outside the temporary folders can be written by everybody" \
    finds_nothing 'find / -xdev -perm -0002 ! -type l ! \( -type d -perm -1000 \( -path /tmp -o -path /var/tmp -o -path /run/lock \) \)'
  check "every file has an owner" finds_nothing 'find / -xdev \( -nouser -o -nogroup \)'
  check "the history tells no secret" history_is_clean
  check "no layer holds a private key, an identity or credentials" layers_hold_no_secret
}

finds_nothing() {
  local found
  found="$(as_root "$1")" || return 1
  [[ -z ${found} ]] || { printf '%s\n' "${found}"; return 1; }
}

setuid_is_known() {
  local found unknown
  found="$(as_root 'find / -xdev -type f -perm /6000' | LC_ALL=C sort)"
  unknown="$(LC_ALL=C comm -23 <(printf '%s\n' "${found}" | grep .) <(of_each_part setuid | LC_ALL=C sort --unique))"
  [[ -z ${unknown} ]] || { printf 'not in the list: %s\n' "${unknown}"; return 1; }
}

history_is_clean() {
  local told
  told="$({
    docker image history --no-trunc --format '{{.CreatedBy}}' "${IMAGE}"
    docker image inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "${IMAGE}"
  } | grep --ignore-case --extended-regexp \
    '(token|passw(or)?d|secret|credential|api_?key|private_?key)[a-z_]*=[^ $]|_auth[a-z]*=|://[^/@ ]+:[^/@ ]+@|^[a-z]*_proxy=')" || return 0
  printf '%s\n' "${told}"
  return 1
}

# What a later layer deletes can still be read from the one before, so each is looked at by itself.
layers_hold_no_secret() {
  local saved="${work}/image" layer layers
  save_image "${saved}" && layers="$(saved_layers "${saved}")" || return 1
  : > "${work}/secrets"
  for layer in ${layers}; do
    layer_secrets "${layer}" "${work}/layer" >> "${work}/secrets" || return 1
  done
  rm -rf "${saved}"
  [[ ! -s ${work}/secrets ]] || { cat "${work}/secrets"; return 1; }
}

# save_image FOLDER: writes the image there, for saved_layers
save_image() { mkdir "$1" && docker image save "${IMAGE}" | tar --extract --directory "$1"; }

# saved_layers FOLDER -> the layers' tarballs, lowest first
saved_layers() { jq --raw-output --arg folder "$1" '.[0].Layers[] | "\($folder)/\(.)"' "$1/manifest.json"; }

# layer_secrets TARBALL FOLDER: a layer is unpacked only when a key is in it, to say in which file
layer_secrets() {
  local plain="${work}/plain.tar" keys
  gzip --decompress --stdout --force "$1" > "${plain}" && keys="$(count_keys "${plain}")" || return 1
  {
    tar --list --verbose --file "${plain}" | identities || return 1
    [[ ${keys} == 0 ]] || key_files "${plain}" "$2" || return 1
  } | without_known_keys
  rm -f "${plain}"
}

# A header alone is in every program that reads keys; only with data behind it is it a key.
KEY='-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/=:, \r\n-]{40}'

count_keys() { LC_ALL=C grep --count --text --null-data --perl-regexp --regexp="${KEY}" "$1" || (($? == 1)); }

key_files() {
  mkdir "$2" && tar --extract --file "$1" --directory "$2" --no-same-owner --delay-directory-restore --exclude='dev/*' &&
    chmod --recursive u+rwX "$2" || return 1
  LC_ALL=C grep --recursive --files-with-matches --text --null-data --perl-regexp --regexp="${KEY}" "$2" | sed "s#^$2##"
  rm -rf "$2"
}

# The files in a listing by tar that are there to tell who or what somebody is, and are not empty.
identities() {
  awk '$1 ~ /^-/ && $3 > 0' | sed -E 's#^(\S+ +){5}(\./)?#/#' | {
    grep --extended-regexp \
      '/machine-id$|/ssh_host_[a-z0-9]+_key$|/\.(npmrc|netrc|git-credentials|pgpass)$|/\.docker/config\.json$|/\.aws/credentials$|/run/secrets/' ||
      (($? == 1))
  }
}

without_known_keys() {
  local path pattern known
  mapfile -t known < <(of_each_part keys)
  while read -r path; do
    for pattern in "${known[@]}"; do
      # shellcheck disable=SC2053 # the right side is a pattern
      [[ ${path} != ${pattern} ]] || continue 2
    done
    printf '%s\n' "${path}"
  done
}
