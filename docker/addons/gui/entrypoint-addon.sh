# shellcheck shell=bash
# Sourced by the sandbox's entrypoint before the services start. Moves the password out of the
# environment; without one of its own the desktop takes the gateway's token.
(
  umask 077
  mkdir -p /run/agentpod/gui "${XDG_RUNTIME_DIR}"
  if [[ -n ${AGENTPOD_GUI_PASSWORD:-} ]]; then
    printf '%s\n' "${AGENTPOD_GUI_PASSWORD}" > /run/agentpod/gui/password
  else
    cat -- "${AGENTPOD_GATEWAY_TOKEN_FILE}" > /run/agentpod/gui/password
  fi
  if command -v kasmvncserver > /dev/null; then
    # Between the web server and KasmVNC, and nobody else's.
    head --bytes=24 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' > /run/agentpod/gui/kasm-password
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 3650 \
      -keyout /run/agentpod/gui/kasm.key -out /run/agentpod/gui/kasm.crt 2> /dev/null
  fi
)
unset AGENTPOD_GUI_PASSWORD

: "${AGENTPOD_GUI_GEOMETRY:=1920x1080}"
if [[ ! ${AGENTPOD_GUI_GEOMETRY} =~ ^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$ ]]; then
  log "AGENTPOD_GUI_GEOMETRY is not WIDTHxHEIGHT in pixels, such as 1280x800; the desktop is 1920x1080" \
    geometry "${AGENTPOD_GUI_GEOMETRY}"
  AGENTPOD_GUI_GEOMETRY=1920x1080
fi
export AGENTPOD_GUI_GEOMETRY

# Where file dialogs lead: there is one place that is kept.
if [[ ! -e ${HOME}/.config/user-dirs.dirs ]]; then
  mkdir -p "${HOME}/.config"
  for name in DESKTOP DOCUMENTS DOWNLOAD MUSIC PICTURES PUBLICSHARE TEMPLATES VIDEOS; do
    printf 'XDG_%s_DIR="%s"\n' "${name}" "${AGENTPOD_WORKSPACE}"
  done > "${HOME}/.config/user-dirs.dirs"
  unset name
fi
