import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";

const statements = new WeakMap<Database, Map<string, Statement>>();

/** The statement of `sql`, prepared once per database. `sql` must come from a bounded set: never with a value inside. */
export function prepared<Row, Params extends SQLQueryBindings[] = SQLQueryBindings[]>(
  db: Database,
  sql: string,
): Statement<Row, Params> {
  let known = statements.get(db);
  if (known === undefined) statements.set(db, (known = new Map()));
  let statement = known.get(sql);
  if (statement === undefined) known.set(sql, (statement = db.prepare(sql)));
  return statement as Statement<Row, Params>;
}

/** Closes at once, so that the last connection takes the write-ahead log with it. */
export function closeDatabase(db: Database): void {
  for (const statement of statements.get(db)?.values() ?? []) statement.finalize();
  statements.delete(db);
  db.close(true);
}
