#!/usr/bin/env bash
# Removes what code-server never runs in a sandbox. Works in the current folder, code-server's own.
# Every path is named, and one that is gone in a new release ends the build, to be looked at again.
set -Eeuo pipefail

vscode=lib/vscode
modules=${vscode}/node_modules

case $(uname -m) in
  aarch64) platform=linux-arm64 ;;
  *) platform=linux-x64 ;;
esac

remove() {
  local path
  for path in "$@"; do
    [[ -e ${path} ]] || { printf 'trim: %s is not there\n' "${path}" >&2; exit 1; }
    rm -rf "${path}"
  done
}

# keep_only FOLDER NAME: the other entries are for other platforms
keep_only() {
  [[ -e $1/$2 ]] || { printf 'trim: %s/%s is not there\n' "$1" "$2" >&2; exit 1; }
  find "$1" -mindepth 1 -maxdepth 1 ! -name "$2" -exec rm -rf {} +
}

# Copilot and the host for its agents: the sandbox's agents are run by the gateway.
remove "${modules}/@github" "${modules}/@microsoft/mxc-sdk" "${vscode}/extensions/copilot" \
  "${vscode}/out/vs/platform/agentHost/node"
# Mermaid diagrams in previews: 48 MB, mostly two copies of icon collections.
remove "${vscode}/extensions/mermaid-markdown-features"
keep_only "${modules}/@vscode/ripgrep-universal/bin" "${platform}"
keep_only "${modules}/node-pty/prebuilds" "${platform}"
remove "${modules}/@vscode/windows-process-tree" "${modules}/node-pty/third_party" "${modules}/@vscode/sqlite3/deps" \
  "${modules}/@vscode/spdlog/deps" "${modules}/@vscode/spdlog/src"
# Tests bring private keys, which nobody could tell from real ones.
remove "${modules}/ssh2/test" node_modules/httpolyglot/test
# Sources of the native modules, and descriptions for people and compilers; TypeScript's own are used.
find . -type f \( -name '*.map' -o -name '*.pdb' -o -name '*.obj' -o -name '*.c' -o -name '*.cc' -o -name '*.cpp' -o -name '*.h' \) \
  -delete
find . -type f -name '*.md' ! -iname 'license*' ! -iname 'thirdparty*' -delete
find . -path ./${vscode}/extensions/node_modules/typescript -prune -o -type f -name '*.d.ts' -exec rm -f {} +
