#!/usr/bin/env bash
# The X server, on display :1, which only who has the cookie may use; as a VNC server it listens on a unix
# socket (TigerVNC) or on loopback behind a password (KasmVNC). The login is the web server's.
set -Eeuo pipefail

RUN_DIR=/run/agentpod/gui
KASM_CONFIG=/etc/agentpod/gui/kasmvnc.yaml

# KasmVNC's starter does this by itself.
new_cookie() {
  umask 077
  # By its standard input, for the cookie is a secret and command lines are not.
  printf 'add :1 MIT-MAGIC-COOKIE-1 %s\n' "$(mcookie)" | xauth -q -f "${XAUTHORITY}" source - 2> /dev/null
}

# Without its list of suspects, on which every viewer that leaves early, and every look at the health, puts all.
run_tigervnc() {
  new_cookie
  exec Xtigervnc :1 -auth "${XAUTHORITY}" -geometry "${AGENTPOD_GUI_GEOMETRY}" -depth 24 -nolisten tcp \
    -rfbport -1 -rfbunixpath "${RUN_DIR}/vnc.sock" -rfbunixmode 0600 -SecurityTypes None -AlwaysShared \
    -UseBlacklist=0 -AcceptSetDesktopSize -desktop "${AGENTPOD_PROJECT_ID:-AgentPod}" -Log '*:stderr:0'
}

# KasmVNC's starter runs the session that it is given and ends with it; this one lasts as long as the screen.
run_kasmvnc() {
  local users="${RUN_DIR}/kasm-users" password
  password="$(< "${RUN_DIR}/kasm-password")"
  rm -f "${users}"
  printf '%s\n%s\n' "${password}" "${password}" | kasmvncpasswd -u developer -w "${users}"
  chmod 600 "${users}"
  mkdir -p "${HOME}/.vnc"
  sed "s/^    width: .*/    width: ${AGENTPOD_GUI_GEOMETRY%x*}/; s/^    height: .*/    height: ${AGENTPOD_GUI_GEOMETRY#*x}/" \
    "${KASM_CONFIG}" > "${HOME}/.vnc/kasmvnc.yaml"
  printf '#!/bin/sh\nexec xprop -root -spy > /dev/null 2>&1\n' > "${HOME}/.vnc/xstartup"
  chmod 755 "${HOME}/.vnc/xstartup"
  exec kasmvncserver :1 -fg
}

main() {
  /usr/local/lib/agentpod/wait-for-gateway.sh
  # What a killed server left behind.
  rm -f /tmp/.X1-lock /tmp/.X11-unix/X1 "${RUN_DIR}/vnc.sock" "${XAUTHORITY}"
  # A server that is not root's does not make it.
  [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix
  if command -v kasmvncserver > /dev/null; then run_kasmvnc; else run_tigervnc; fi
}

main
