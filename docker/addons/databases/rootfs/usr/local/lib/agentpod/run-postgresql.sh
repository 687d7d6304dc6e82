#!/usr/bin/env bash
# PostgreSQL on the workspace volume: the cluster is made at the first start, the password set at every one.
set -Eeuo pipefail
umask 077

MAJOR=17
BIN="/usr/lib/postgresql/${MAJOR}/bin"
DATA_DIR="${AGENTPOD_WORKSPACE}/.agentpod/databases"
CLUSTER="${DATA_DIR}/postgresql"

refuse() {
  printf 'postgresql: %s\n' "$*" >&2
  exit 78
}

# A cluster is made beside its place: one that a kill cut off is never taken for whole.
make_cluster() {
  rm -rf "${CLUSTER}.new"
  # Shared memory in files: a container's /dev/shm is too small for parallel queries.
  "${BIN}/initdb" --pgdata="${CLUSTER}.new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
    --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums --no-instructions \
    --auth-local=peer --auth-host=scram-sha-256 --set dynamic_shared_memory_type=mmap > /dev/null
  alone "${CLUSTER}.new" << 'END'
CREATE ROLE developer SUPERUSER LOGIN
CREATE DATABASE developer OWNER developer
END
  mv "${CLUSTER}.new" "${CLUSTER}"
}

# alone CLUSTER: runs the lines of stdin as queries while nobody can connect; none of them is logged
alone() { "${BIN}/postgres" --single -D "$1" -c log_min_error_statement=panic -c log_checkpoints=off postgres > /dev/null; }

set_password() {
  local role password
  password="$(< /run/agentpod/databases-password)"
  for role in postgres developer; do printf "ALTER ROLE %s PASSWORD '%s'\n" "${role}" "${password//\'/\'\'}"; done |
    alone "${CLUSTER}"
}

/usr/local/lib/agentpod/wait-for-gateway.sh
[[ -s /run/agentpod/databases-password ]] || refuse "does not start: it has no password; the first lines of the log say why"
# Held as long as a process of this cluster lives, in whichever container. With it, what a kill left is known to be stale.
exec 9> "${DATA_DIR}/postgresql.lock"
flock --timeout 20 9 || { printf 'postgresql: another container has this volume; trying again\n' >&2; exit 1; }

if [[ ! -e ${CLUSTER} ]]; then
  make_cluster
fi
version="$(cat "${CLUSTER}/PG_VERSION" 2> /dev/null)" || refuse "${CLUSTER} holds no PostgreSQL cluster; move it away to have a new one"
[[ ${version} == "${MAJOR}" ]] ||
  refuse "the cluster on the volume is of version ${version} and this image has ${MAJOR}; dump it (pg_dumpall) with an image that has ${version}, move ${CLUSTER} away, start this one and load the dump"
rm -f "${CLUSTER}/postmaster.pid" /run/agentpod/.s.PGSQL.5432 /run/agentpod/.s.PGSQL.5432.lock
set_password
exec "${BIN}/postgres" -D "${CLUSTER}" -c listen_addresses="$(< /run/agentpod/databases-listen)" -c port=5432 \
  -c unix_socket_directories=/run/agentpod -c unix_socket_permissions=0700 \
  -c hba_file=/etc/agentpod/databases/pg_hba.conf -c ident_file=/etc/agentpod/databases/pg_ident.conf
