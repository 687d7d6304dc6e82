#!/usr/bin/env bash
# The part of openbox's menu that depends on what is installed, as a pipe menu.
set -Eeuo pipefail

# item LABEL COMMAND
item() {
  printf '<item label="%s"><action name="Execute"><command>%s</command></action></item>\n' "$1" "$2"
}

installed() { command -v "$1" > /dev/null; }

first_installed() {
  local program
  for program in "$@"; do
    if installed "${program}"; then
      printf '%s\n' "${program}"
      return
    fi
  done
}

main() {
  local browser browser_command=''
  browser="$(first_installed firefox firefox-esr google-chrome chromium chromium-browser epiphany netsurf-gtk3 netsurf dillo)"
  case ${browser} in
    '') ;;
    # Their own sandbox needs rights that nothing here has; the container is the sandbox.
    google-chrome | chromium*) browser_command="${browser} --no-sandbox" ;;
    *) browser_command=${browser} ;;
  esac
  printf '<openbox_pipe_menu>\n'
  item Terminal xterm
  if installed pcmanfm; then item Files "pcmanfm ${AGENTPOD_WORKSPACE}"; fi
  if [[ -n ${browser_command} ]]; then item 'Web browser' "${browser_command}"; fi
  if [[ -n ${browser_command} ]] && installed code-server; then
    item 'VS Code (code-server)' "${browser_command} http://127.0.0.1:8080/"
  fi
  if installed code; then item 'VS Code' "code ${AGENTPOD_WORKSPACE}"; fi
  printf '</openbox_pipe_menu>\n'
}

main
