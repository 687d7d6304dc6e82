#!/usr/bin/env bash
# Before the databases start: their password, where they listen, and a file that tells how to connect.
#
# Reads AGENTPOD_DATABASES_PASSWORD and AGENTPOD_DATABASES_LISTEN; see the addon's README.
set -Eeuo pipefail
umask 077

RUN_DIR=/run/agentpod
DATA_DIR="${AGENTPOD_WORKSPACE}/.agentpod/databases"

refuse() {
  printf 'databases: %s\n' "$*" >&2
  exit 1
}

# The password given, else the one made at the first start.
password() {
  local kept="${DATA_DIR}/password"
  if [[ -n ${AGENTPOD_DATABASES_PASSWORD:-} ]]; then
    printf '%s' "${AGENTPOD_DATABASES_PASSWORD}"
    return
  fi
  if [[ ! -s ${kept} ]]; then
    head --bytes=24 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' > "${kept}.new"
    mv "${kept}.new" "${kept}"
  fi
  cat "${kept}"
}

# quoted TEXT QUOTE: the text with backslash before what would end it
quoted() { sed -E "s/[\\\\$2]/\\\\&/g" <<< "$1"; }

write_redis_settings() {
  local addresses=${1//,/ }
  [[ ${addresses} != localhost ]] || addresses='127.0.0.1 -::1'
  cat > "${RUN_DIR}/redis.conf" << END
include /etc/agentpod/databases/redis.conf
bind ${addresses}
dir "$(quoted "${DATA_DIR}/redis" '"')"
requirepass "$(quoted "${PASSWORD}" '"')"
END
}

# A shell and most readers of .env files understand single quotes.
write_connections() {
  local encoded literal
  encoded="$(jq --null-input --raw-output 'env.PASSWORD | @uri')"
  literal="'${PASSWORD//\'/\'\\\'\'}'"
  cat > "${DATA_DIR}/connect.env" << END
# How programs reach this sandbox's databases. psql and redis-cli need none of it.
# Written at every start. In a shell: set -a; . ${DATA_DIR}/connect.env; set +a
DATABASE_URL='postgresql://developer:${encoded//\'/%27}@127.0.0.1:5432/developer'
REDIS_URL='redis://default:${encoded//\'/%27}@127.0.0.1:6379'
PGHOST=127.0.0.1
PGPORT=5432
PGUSER=developer
PGDATABASE=developer
PGPASSWORD=${literal}
REDIS_HOST=127.0.0.1
REDIS_PORT=6379
REDIS_PASSWORD=${literal}
END
}

# For psql over the network; lines for other servers stay.
write_pgpass() {
  local file="${HOME}/.pgpass" others='' host
  [[ ! -f ${file} ]] || others="$(grep --invert-match --extended-regexp '^(localhost|127\.0\.0\.1):5432:\*:\*:' "${file}" || true)"
  {
    for host in localhost 127.0.0.1; do printf '%s:5432:*:*:%s\n' "${host}" "$(quoted "${PASSWORD}" ':')"; done
    [[ -z ${others} ]] || printf '%s\n' "${others}"
  } > "${file}.new"
  mv "${file}.new" "${file}"
}

main() {
  local listen="${AGENTPOD_DATABASES_LISTEN:-localhost}"
  rm -f "${RUN_DIR}"/databases-{password,listen} "${RUN_DIR}/redis.conf"
  mkdir -p "${DATA_DIR}/redis" || refuse "the folder ${DATA_DIR} cannot be made"
  # Git does not list what is below here.
  [[ -e ${DATA_DIR%/*}/.gitignore ]] || echo '*' > "${DATA_DIR%/*}/.gitignore"
  [[ ${listen} =~ ^(localhost|\*|[0-9a-fA-F.:]+(,[0-9a-fA-F.:]+)*)$ ]] ||
    refuse "AGENTPOD_DATABASES_LISTEN is '${listen}'; give localhost, 0.0.0.0, * or addresses with commas between"
  PASSWORD="$(password)"
  export PASSWORD
  [[ -n ${PASSWORD} && ${PASSWORD} != *[[:cntrl:]]* && ${#PASSWORD} -le 500 ]] ||
    refuse "AGENTPOD_DATABASES_PASSWORD must have 1 to 500 characters and no control characters"
  write_redis_settings "${listen}"
  write_connections
  write_pgpass
  printf '%s\n' "${listen}" > "${RUN_DIR}/databases-listen"
  printf '%s\n' "${PASSWORD}" > "${RUN_DIR}/databases-password"
}

main "$@"
