#!/usr/bin/env bash
# Fetches the tools whose source is "official" from their makers, each by version and checksum, and says
# which are left out. Everything comes as the Dockerfile's build arguments.
#
# Usage: fetch.sh OUT
set -Eeuo pipefail

fail() {
  printf 'cloud: %s\n' "$*" >&2
  exit 1
}

# verified_file TOOL ADDRESS SHA256 -> the file's path
verified_file() {
  local file options=(--fail --silent --show-error --location --retry 3 --proto-redir '=https')
  file="$(mktemp)"
  [[ ! -f /run/secrets/ca ]] || options+=(--cacert /run/secrets/ca)
  curl "${options[@]}" --output "${file}" "$2" || fail "$1: $2 cannot be fetched; see README.md for $1's source"
  sha256sum --check --status <<< "$3  ${file}" ||
    fail "$1: $2 has the checksum $(sha256sum "${file}" | cut --delimiter=' ' --fields=1), expected $3"
  printf '%s\n' "${file}"
}

# official TOOL NAME: sets version and sha256 from NAME_OFFICIAL, for this platform
official() {
  local spec="$2_OFFICIAL" sums
  read -r version sums <<< "${!spec:-}" || true
  case ${TARGETARCH} in
    amd64) sha256="${sums%% *}" ;;
    arm64) sha256="${sums#* }" ;;
    *) fail "$1: there is none for ${TARGETARCH}" ;;
  esac
  [[ -n ${version} && ${sha256} =~ ^[0-9a-f]{64}$ ]] ||
    fail "$1 is asked for from its maker: give ${spec}=\"VERSION SHA256_OF_AMD64 SHA256_OF_ARM64\""
}

machine() { case ${TARGETARCH} in amd64) echo "$1" ;; arm64) echo "$2" ;; esac; }

fetch_awscli() {
  local file
  file="$(verified_file awscli "${AWSCLI_URL}/awscli-exe-linux-$(machine x86_64 aarch64)-${version}.zip" "${sha256}")"
  unzip -q "${file}" -d "${work}"
  mkdir -p "${out}/usr/local/lib"
  mv "${work}/aws/dist" "${out}/usr/local/lib/awscli"
  rm -rf "${out}/usr/local/lib/awscli/awscli/examples"
  ln -s ../lib/awscli/aws ../lib/awscli/aws_completer "${out}/usr/local/bin/"
}

fetch_kubectl() {
  local file
  file="$(verified_file kubectl "${KUBECTL_URL}/v${version#v}/bin/linux/${TARGETARCH}/kubectl" "${sha256}")"
  install --mode=755 "${file}" "${out}/usr/local/bin/kubectl"
}

fetch_terraform() {
  local file
  file="$(verified_file terraform "${TERRAFORM_URL}/${version}/terraform_${version}_linux_${TARGETARCH}.zip" "${sha256}")"
  unzip -q "${file}" -d "${work}"
  install --mode=755 "${work}/terraform" "${out}/usr/local/bin/terraform"
  [[ ! -e ${work}/LICENSE.txt ]] || install -D --mode=644 "${work}/LICENSE.txt" "${out}/usr/local/share/licenses/terraform/LICENSE.txt"
}

# Runs with Debian's python; what would update it or bring another python is left out.
fetch_gcloud() {
  local file sdk=google-cloud-sdk
  file="$(verified_file gcloud "${GCLOUD_URL}/google-cloud-cli-${version}-linux-$(machine x86_64 arm).tar.gz" "${sha256}")"
  mkdir -p "${out}/usr/local/lib"
  tar --extract --gzip --file "${file}" --directory "${out}/usr/local/lib" --no-same-owner
  rm -rf "${out}/usr/local/lib/${sdk}"/{platform/bundledpythonunix,.install/.backup,.install/.download}
  for tool in gcloud gsutil bq; do
    [[ ! -e ${out}/usr/local/lib/${sdk}/bin/${tool} ]] || ln -s "../lib/${sdk}/bin/${tool}" "${out}/usr/local/bin/${tool}"
  done
}

out=$1
mkdir -p "${out}/usr/local/bin"
for tool in awscli kubectl terraform gcloud; do
  name="${tool^^}"
  source="${name}_SOURCE"
  case ${!source}:${tool} in
    official:*)
      work="$(mktemp --directory)"
      official "${tool}" "${name}"
      "fetch_${tool}"
      rm -rf "${work}"
      ;;
    debian:awscli | debian:kubectl) ;;
    none:terraform | none:gcloud)
      printf 'cloud: %s is left out: Debian and npm do not have it. Build with %s=official where its maker can be reached.\n' "${tool}" "${source}"
      ;;
    *) fail "${source} is '${!source}', which is not one of its sources; see README.md" ;;
  esac
done
