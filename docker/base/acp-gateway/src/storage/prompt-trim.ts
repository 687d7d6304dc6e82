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
