#!/usr/bin/env bash
# The X server, on display :1, which only who has the cookie may use; as a VNC server it listens on a unix
# socket (TigerVNC) or on loopback behind a password (KasmVNC). The login is the web server's.
set -Eeuo pipefail

RUN_DIR=/run/agentpod/gui
KASM_CONFIG=/etc/agentpod/gui/kasmvnc.yaml

new_cookie() {
  umask 077
  rm -f "${XAUTHORITY}"
  # By its standard input, for the cookie is a secret and command lines are not.
  printf 'add :1 MIT-MAGIC-COOKIE-1 %s\n' "$(mcookie)" | xauth -q -f "${XAUTHORITY}" source - 2> /dev/null
}

run_tigervnc() {
  exec Xtigervnc :1 -auth "${XAUTHORITY}" -geometry "${AGENTPOD_GUI_GEOMETRY}" -depth 24 -nolisten tcp \
    -rfbport -1 -rfbunixpath "${RUN_DIR}/vnc.sock" -rfbunixmode 0600 -SecurityTypes None -AlwaysShared \
    -AcceptSetDesktopSize -desktop "${AGENTPOD_PROJECT_ID:-AgentPod}" -Log '*:stderr:0'
}

# KasmVNC reads its own password from ~/.kasmpasswd and its settings from ~/.vnc/kasmvnc.yaml.
run_kasmvnc() {
  local password
  password="$(< "${RUN_DIR}/kasm-password")"
  mkdir -p "${HOME}/.vnc"
  cp -- "${KASM_CONFIG}" "${HOME}/.vnc/kasmvnc.yaml"
  printf '%s\n%s\n' "${password}" "${password}" | kasmvncpasswd -u developer -w "${RUN_DIR}/kasm-users" > /dev/null
  export XAUTHORITY
  exec kasmvncserver :1 -fg -noxstartup -geometry "${AGENTPOD_GUI_GEOMETRY}" -depth 24
}

main() {
  /usr/local/lib/agentpod/wait-for-gateway.sh
  # What a killed server left behind.
  rm -f /tmp/.X1-lock /tmp/.X11-unix/X1 "${RUN_DIR}/vnc.sock"
  mkdir -p -m 1777 /tmp/.X11-unix
  new_cookie
  if command -v kasmvncserver > /dev/null; then run_kasmvnc; else run_tigervnc; fi
}

main
