import type { Database } from "bun:sqlite";
import type { SessionRecord } from "../sessions/live-session.ts";
import type { SessionStores } from "../sessions/stores.ts";
import { createPendingStore } from "./pending-store.ts";
import { prepared } from "./prepared.ts";
import { createPromptStore } from "./prompt-store.ts";

/** The tables of sessions and what belongs to them. A record is kept as JSON beside what it is found by. */
export function createSessionStores(db: Database): SessionStores {
  return {
    sessions: createSessionStore(db),
    prompts: createPromptStore(db),
    permissions: createPendingStore(db, "permission"),
    elicitations: createPendingStore(db, "elicitation"),
  };
}

function createSessionStore(db: Database): SessionStores["sessions"] {
  return {
    put(db, record) {
      const sql = `INSERT INTO session VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, record = excluded.record`;
      prepared(db, sql).run(record.id, record.agent, record.createdAt, record.updatedAt, JSON.stringify(record));
    },
    remove(db, id) {
      prepared(db, "DELETE FROM session WHERE id = ?").run(id);
    },
    all() {
      const rows = prepared<{ record: string }, []>(db, "SELECT record FROM session ORDER BY created_at, id").all();
      return rows.map(({ record }) => JSON.parse(record) as SessionRecord);
    },
  };
}
