# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

includes_fullstack() { printf '%s\n' python js; }

# shellcheck disable=SC2016 # expanded inside the container
checks_fullstack() {
  versions << 'EOF'
psql       | psql --version       | 17\.
pg_dump    | pg_dump --version    | 17\.
redis-cli  | redis-cli --version  | 8\.
sqlite3    | sqlite3 --version    | ^3\.46\.
EOF
  check "SQLite keeps and finds" without_network 'sqlite3 a.db "create table t (n); insert into t values (42)" && [ "$(sqlite3 a.db "select n from t")" = 42 ]'
  check "JavaScript asks Python" without_network 'node -e "
    const { execFileSync } = require(\"node:child_process\");
    process.exit(String(execFileSync(\"python\", [\"-c\", \"print(6 * 7)\"])).trim() === \"42\" ? 0 : 1)"'
}
