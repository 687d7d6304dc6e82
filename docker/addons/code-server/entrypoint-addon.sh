# shellcheck shell=bash
# Sourced by the sandbox's entrypoint before the services start. Moves the password out of the
# environment; without one of its own code-server takes the gateway's token.
(
  umask 077
  if [[ -n ${AGENTPOD_CODE_SERVER_PASSWORD:-} ]]; then
    printf '%s\n' "${AGENTPOD_CODE_SERVER_PASSWORD}" > /run/agentpod/code-server-password
  else
    cat -- "${AGENTPOD_GATEWAY_TOKEN_FILE}" > /run/agentpod/code-server-password
  fi
)
unset AGENTPOD_CODE_SERVER_PASSWORD

settings="${HOME}/.local/share/code-server/User/settings.json"
if [[ ! -e ${settings} ]]; then
  mkdir -p "${settings%/*}"
  cat > "${settings}" << 'EOF'
{
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none"
}
EOF
fi
unset settings
