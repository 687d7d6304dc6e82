/** Arguments: database, migration, statement. Migrates, and is killed before that statement of it. */
import type { Database } from "bun:sqlite";
import { migrate } from "../../src/db/migrate.ts";
import { migrations } from "../../src/db/migrations/index.ts";
import { openDatabase } from "../../src/db/open.ts";

const [path = "", name = "", statement = ""] = process.argv.slice(2);

/** The database, counting what is run on it. */
function counting(db: Database): Database {
  let count = 0;
  return new Proxy(db, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        if (key === "run" && ++count === Number(statement)) process.kill(process.pid, "SIGKILL");
        return Reflect.apply(member, target, args);
      };
    },
  });
}

const db = openDatabase(path);
// So little that a transaction's pages reach the write-ahead log before its commit.
db.run("PRAGMA cache_size = 5");
migrate(db, {
  migrations: migrations.map((migration) =>
    migration.name === name ? { ...migration, up: (target) => migration.up(counting(target)) } : migration,
  ),
});
