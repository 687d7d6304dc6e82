# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.
CODE_SERVER_PASSWORD=test-password-of-code-server

ports_code_server() { echo 8080; }
environment_code_server() { echo "AGENTPOD_CODE_SERVER_PASSWORD=${CODE_SERVER_PASSWORD}"; }
serves_code_server() { status_is 200 8080 /healthz --max-time 3; }

checks_code_server() {
  check "code-server asks for the password" status_is 302 8080 /
  check "code-server refuses a wrong password" status_is 200 8080 /login --data-urlencode password=wrong
  check "code-server opens with its password" logs_in_to_code_server "${CODE_SERVER_PASSWORD}"
  check "no log and no command line tells code-server's password" is_hidden "${CODE_SERVER_PASSWORD}"
}

logs_in_to_code_server() {
  # shellcheck disable=SC2154 # work is test-container.sh's
  local jar="${work}/cookies"
  status_is 302 8080 /login --cookie-jar "${jar}" --data-urlencode "password=$1" &&
    status_is 200 8080 / --cookie "${jar}" --location
}
