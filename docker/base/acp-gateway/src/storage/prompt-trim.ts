import type { Database } from "bun:sqlite";
import type { PromptRecord } from "../sessions/live-prompt.ts";
import { prepared } from "./prepared.ts";

type Row = { id: string; status: PromptRecord["status"]; record: string };

/** Prompts stay, for their keys and ends; what was asked in them goes with their events. */
export function createPromptTrim(db: Database) {
  /** By session: the last prompt that was looked at. */
  const done = new Map<string, string>();

  return {
    /** The session's events are gone up to `through`. */
    trimmed(sessionId: string, through: number): void {
      const sql = "SELECT id, status, record FROM prompt WHERE session_id = ? AND id > ? ORDER BY id LIMIT 1";
      for (;;) {
        const row = prepared<Row, [string, string]>(db, sql).get(sessionId, done.get(sessionId) ?? "");
        if (!row || row.status === "queued" || row.status === "running") return;
        const record = JSON.parse(row.record) as PromptRecord;
        if (record.seq > through) return;
        if (record.content.length > 0) {
          const bare: PromptRecord = { ...record, content: [] };
          prepared(db, "UPDATE prompt SET record = ? WHERE id = ?").run(JSON.stringify(bare), row.id);
        }
        done.set(sessionId, row.id);
      }
    },

    forget: (sessionId: string) => done.delete(sessionId),
  };
}

const ROWS_MAX = 512;

/** What an agent asked people before a time, the start of an id: it goes with the events that tell of it, once it has ended. */
export function trimAsked(db: Database, sessionId: string, timeMs: number): void {
  const time = timeMs.toString(16).padStart(12, "0");
  for (const table of ["permission", "elicitation"]) {
    const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table}
      WHERE session_id = ? AND id < ? AND status <> 'pending' LIMIT ${ROWS_MAX})`;
    prepared(db, sql).run(sessionId, `${table.slice(0, 3)}_${time}`);
  }
}
