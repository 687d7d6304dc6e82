# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

# shellcheck disable=SC2154 # container, volume and run_id are test-container.sh's

# shellcheck disable=SC1003,SC2016 # as hard to quote as it gets; what is in single quotes is expanded inside the container
DATABASES_PASSWORD='p:a'\''s"s\w@r/d $HOME & ü'

environment_databases() { printf '%s\n' "AGENTPOD_DATABASES_PASSWORD=${DATABASES_PASSWORD}"; }

serves_databases() { inside pg_isready && inside redis-cli ping | grep PONG; }

leave_databases() { check "PostgreSQL and Redis take data" data_is_taken; }

data_is_taken() {
  query_is CREATE "create table if not exists kept (text text); insert into kept values ('in PostgreSQL'); select 'CREATE'" &&
    [[ $(inside redis-cli set kept 'in Redis') == OK ]]
}

find_databases() {
  check "PostgreSQL has kept its data" query_is 'in PostgreSQL' 'select text from kept'
  check "Redis has kept its data" output_matches 'redis-cli get kept' '^in Redis$'
}

checks_databases() {
  versions << 'END'
    PostgreSQL       | postgres --version     | \) 17\.[0-9]+
    psql             | psql --version         | \) 17\.[0-9]+
    pg_dump          | pg_dump --version      | \) 17\.[0-9]+
    Redis            | redis-server --version | v=8\.[0-9]
    redis-cli        | redis-cli --version    | 8\.[0-9]
    SQLite           | sqlite3 --version      | ^3\.[0-9]
END
  check "psql opens the developer's database" query_is 'developer developer' "select current_user || ' ' || current_database()"
  check "a parallel query runs" query_is 2000000 \
    "set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0; create temp table t as select generate_series(1, 2000000) as n; select count(*) from t"
  check "the extensions are there" query_is t \
    'create extension pgcrypto; create extension pg_trgm; create extension "uuid-ossp"; select gen_salt($$bf$$) is not null'
  check "PostgreSQL has no just-in-time compiler, and knows" query_is f 'select pg_jit_available()'
  check "SQLite runs" output_matches 'sqlite3 :memory: "select sqrt(16) || json_array(1)"' '^4\.0\[1\]$'
  check_passwords
  check "only the loopback is listened on" listens_on_loopback_only
  check "the data folder is the developer's alone" output_matches \
    'stat --format "%a %U" .agentpod/databases{,/connect.env,/postgresql} | sort -u | paste -sd " "' '^600 developer 700 developer$'
  check "git sees nothing of the data" output_matches 'git init -q . && git status --porcelain | grep agentpod | wc -l; rm -rf .git' '^0$'
  check "no log and no command line tells the databases' password" is_hidden "${DATABASES_PASSWORD}"
  check "libraries of all programs are there" tool_answers '! ldd /usr/lib/postgresql/17/{bin,lib}/* /usr/bin/redis-server 2> /dev/null | grep "not found" >&2'
}

check_passwords() {
  check "PostgreSQL opens over the network with the password in ~/.pgpass" output_matches 'psql --host=127.0.0.1 -Atc "select 42"' '^42$'
  check "PostgreSQL refuses another password" output_matches \
    'PGPASSWORD=wrong psql --host=127.0.0.1 -Atc "select 42" 2>&1 || true' 'password authentication failed'
  check "Redis refuses without password" output_matches '/usr/bin/redis-cli ping 2>&1' '^NOAUTH'
  check "connect.env opens both" output_matches \
    '. .agentpod/databases/connect.env && psql "${DATABASE_URL}" -Atc "select 42" && [[ $(psql -Atc "select 43") == 43 ]] &&
      [[ $(REDISCLI_AUTH="${REDIS_PASSWORD}" /usr/bin/redis-cli ping) == PONG ]] && redis-cli --no-auth-warning -u "${REDIS_URL}" ping' '^PONG$'
}

# query_is EXPECTED SQL: the last line of what psql answers
query_is() {
  local answer
  answer="$(inside psql --quiet --no-psqlrc --tuples-only --no-align --command "$2" | tail -n 1)"
  [[ ${answer} == "$1" ]] || { printf 'answered: %s\n' "${answer}"; return 1; }
}

# As the kernel tells it: 1538 and 18EB are the ports 5432 and 6379, 0A is listening.
listens_on_loopback_only() {
  local addresses
  addresses="$(inside cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == "0A" && $2 ~ /:(1538|18EB)$/ { print $2 }' | LC_ALL=C sort --unique)"
  grep --quiet 0100007F:1538 <<< "${addresses}" && grep --quiet 0100007F:18EB <<< "${addresses}" &&
    ! grep --invert-match --extended-regexp '^(0100007F|0{24}01000000):' <<< "${addresses}"
}

apart_databases() {
  check "starts without a password given" start_databases
  check "a password is made, and is the developer's alone" output_matches \
    'stat --format "%a %s" .agentpod/databases/password; psql --host=localhost -Atc "select 42"' '^600 32$'
  leave_databases
  check "is killed while a session is open" kill_databases
  check "another password takes effect" start_databases --env AGENTPOD_DATABASES_PASSWORD=another --env AGENTPOD_DATABASES_LISTEN=0.0.0.0
  find_databases
  check "PostgreSQL opens with the new password" output_matches 'PGPASSWORD=another psql --host=127.0.0.1 -Atc "select 42"' '^42$'
  check "Redis opens with the new password" output_matches 'REDISCLI_AUTH=another /usr/bin/redis-cli ping' '^PONG$'
  check "PostgreSQL listens where it is told to" output_matches 'psql --host="$(hostname -i | cut -d" " -f1)" -Atc "select 42" 2>&1 || true' 'no password supplied|fe_sendauth'
  check "a killed PostgreSQL comes back by itself" killed_postgresql_comes_back
  check "a kill of the container in a restart is survived" restart_after_kill
  check "a session that is open does not hold up the stop" stops_with_open_session
  remove_container "${container}"
  check "a cluster of another version is refused and left alone" other_version_is_refused
  remove_container "${container}"
  check "a password that cannot be used is refused" bad_settings_are_refused 'AGENTPOD_DATABASES_PASSWORD=two'$'\n''lines' 'control characters'
  check "an address that is none is refused" bad_settings_are_refused 'AGENTPOD_DATABASES_LISTEN=0.0.0.0;x' AGENTPOD_DATABASES_LISTEN
}

# start_databases [DOCKER RUN OPTION]...: without the settings of environment_databases
start_databases() {
  run_apart --name "${container}" --volume "${volume}:/home/developer/workspace" "$@" "${IMAGE}"
  wait_until "${SERVING_SECONDS_MAX}" serves_databases
}

open_session() {
  docker exec --detach "${container}" psql --command 'select pg_sleep(100)'
  wait_until 20 query_is 1 "select count(*) from pg_stat_activity where query like '%pg_sleep(100)' and pid <> pg_backend_pid()"
}

kill_databases() {
  open_session && inside redis-cli waitaof 1 0 5000 && docker kill --signal KILL "${container}" && remove_container "${container}"
}

killed_postgresql_comes_back() {
  local old
  old="$(inside head -n 1 .agentpod/databases/postgresql/postmaster.pid)"
  inside kill -KILL "${old}" && wait_until "${SERVING_SECONDS_MAX}" query_is 'in PostgreSQL' 'select text from kept'
}

# The files of the container stay, its sockets' locks among them.
restart_after_kill() {
  docker kill --signal KILL "${container}" && docker start "${container}" && wait_until "${SERVING_SECONDS_MAX}" serves_databases &&
    query_is 'in PostgreSQL' 'select text from kept'
}

stops_with_open_session() { open_session && stops_in_time && log_has 'database system is shut down'; }

other_version_is_refused() {
  docker run --rm --label "dev.agentpod.test=${run_id}" --volume "${volume}:/home/developer/workspace" --entrypoint bash "${IMAGE}" \
    -c 'echo 16 > ~/workspace/.agentpod/databases/postgresql/PG_VERSION'
  run_apart --name "${container}" --volume "${volume}:/home/developer/workspace" "${IMAGE}"
  wait_until "${SERVING_SECONDS_MAX}" log_has 'of version 16 and this image has 17' && wait_until "${HEALTHY_SECONDS_MAX}" is_healthy &&
    inside redis-cli ping && ! inside pg_isready && inside test -s .agentpod/databases/postgresql/global/pg_control
}

# bad_settings_are_refused NAME=VALUE TEXT: the sandbox comes up, its databases do not, and the log tells TEXT
bad_settings_are_refused() {
  local result=0
  run_apart --name "${container}" --env "$1" "${IMAGE}"
  { wait_until "${HEALTHY_SECONDS_MAX}" is_healthy && log_has "$2" && wait_until "${SERVING_SECONDS_MAX}" log_has 'redis: does not start' &&
    ! inside pg_isready; } || result=1
  remove_container "${container}"
  return "${result}"
}
