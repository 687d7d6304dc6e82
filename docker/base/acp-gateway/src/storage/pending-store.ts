import type { Database } from "bun:sqlite";
import type { PendingStore } from "../sessions/stores.ts";
import type { Elicitation, Permission } from "../wire/index.ts";
import { prepared } from "./prepared.ts";

const LISTED_MAX = 1000;

/** What an agent has asked people. */
export function createPendingStore<Value extends Permission | Elicitation>(
  db: Database,
  table: "permission" | "elicitation",
): PendingStore<Value> {
  const parse = ({ record }: { record: string }): Value => JSON.parse(record) as Value;
  return {
    put(db, value) {
      const sql = `INSERT INTO ${table} VALUES (?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, record = excluded.record`;
      prepared(db, sql).run(value.id, value.sessionId, value.status, JSON.stringify(value));
    },
    get(sessionId, id) {
      const sql = `SELECT record FROM ${table} WHERE id = ? AND session_id = ?`;
      const row = prepared<{ record: string }, [string, string]>(db, sql).get(id, sessionId);
      return row ? parse(row) : undefined;
    },
    list(sessionId) {
      const sql = `SELECT record FROM ${table} WHERE session_id = ? ORDER BY id DESC LIMIT ${LISTED_MAX}`;
      return prepared<{ record: string }, [string]>(db, sql).all(sessionId).map(parse);
    },
    pending() {
      const sql = `SELECT record FROM ${table} WHERE status = 'pending' ORDER BY id`;
      return prepared<{ record: string }, []>(db, sql).all().map(parse);
    },
  };
}
