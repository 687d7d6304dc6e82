import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";
import { no, ok, type Result } from "./result.ts";
import { assignments, insertion, NOW } from "./row.ts";

interface Entry {
  id: string;
  isDefault?: boolean;
  createdAt: string;
  updatedAt: string;
}

export type NewEntry<E extends Entry> = Omit<E, "createdAt" | "updatedAt">;
export type EntryPatch<E extends Entry> = Partial<Omit<NewEntry<E>, "id">>;

/** A row as it is read: every field by its own name, in SQLite's types. */
export type EntryRow<E extends Entry> = {
  [Field in keyof E]: E[Field] extends boolean ? number : E[Field] extends string[] ? string : E[Field];
};

interface Definition<E extends Entry> {
  table: string;
  columns: { [Field in keyof Omit<NewEntry<E>, "id"> & string]-?: string };
  fromRow: (row: EntryRow<E>) => E;
  /** Queries that give a row when something needs the entry `?1`. */
  usedBy: readonly string[];
}

/**
 * A table of named things in a chosen order, of which one may be the default: there is never a
 * second default, and the only one cannot be taken away. Writes are whole or not at all.
 */
export function catalogTable<E extends Entry>({ table, columns, fromRow, usedBy }: Definition<E>) {
  const fields = Object.entries<string>(columns).map(([field, column]) => `${column} AS "${field}"`);
  const select = `SELECT id, ${fields.join(", ")}, created_at AS "createdAt", updated_at AS "updatedAt" FROM ${table}`;
  const order = "ORDER BY sort_order, id";
  const hasDefault = "isDefault" in columns;

  const where = (db: Database, condition: string, ...values: string[]): E[] =>
    prepared<EntryRow<E>, string[]>(db, `${select} ${condition} ${order}`)
      .all(...values)
      .map(fromRow);

  const find = (db: Database, id: string): E | undefined => {
    const row = prepared<EntryRow<E>, [string]>(db, `${select} WHERE id = ?1`).get(id);
    return row === null ? undefined : fromRow(row);
  };

  const findSure = (db: Database, id: string): E => {
    const entry = find(db, id);
    if (entry === undefined) throw new Error(`${table} lost ${id} inside a transaction`);
    return entry;
  };

  const clearDefault = (db: Database): void => {
    prepared(db, `UPDATE ${table} SET is_default = 0, updated_at = ${NOW} WHERE is_default = 1`).run();
  };

  return {
    where,
    find,

    findDefault: (db: Database): E | undefined => (hasDefault ? where(db, "WHERE is_default = 1")[0] : undefined),

    create: (db: Database, entry: NewEntry<E>): Result<E, "id_taken"> =>
      db
        .transaction(() => {
          if (find(db, entry.id) !== undefined) return no("id_taken");
          if (entry.isDefault === true) clearDefault(db);
          const { names, marks, values } = insertion({ id: "id", ...columns }, entry);
          const sql = `INSERT INTO ${table} (${names}, created_at, updated_at) VALUES (${marks}, ${NOW}, ${NOW})`;
          prepared(db, sql).run(values);
          return ok(findSure(db, entry.id));
        })
        .immediate(),

    update: (db: Database, id: string, patch: EntryPatch<E>): Result<E, "not_found" | "is_default"> =>
      db
        .transaction(() => {
          const old = find(db, id);
          if (old === undefined) return no("not_found");
          if (old.isDefault === true && patch.isDefault === false) return no("is_default");
          if (old.isDefault === false && patch.isDefault === true) clearDefault(db);
          const { set, values } = assignments(columns, patch);
          if (set === "") return ok(old);
          prepared(db, `UPDATE ${table} SET ${set}, updated_at = ${NOW} WHERE id = $id`).run({ ...values, id });
          return ok(findSure(db, id));
        })
        .immediate(),

    remove: (db: Database, id: string): Result<E, "not_found" | "is_default" | "in_use"> =>
      db
        .transaction(() => {
          const old = find(db, id);
          if (old === undefined) return no("not_found");
          if (old.isDefault === true) return no("is_default");
          if (usedBy.some((query) => prepared<unknown, [string]>(db, query).get(id) !== null)) return no("in_use");
          prepared(db, `DELETE FROM ${table} WHERE id = ?1`).run(id);
          return ok(old);
        })
        .immediate(),
  };
}
