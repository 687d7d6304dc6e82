import type { Database } from "bun:sqlite";
import type { PromptRecord } from "../sessions/live-prompt.ts";
import type { SessionStores } from "../sessions/stores.ts";
import { prepared } from "./prepared.ts";

type Row = { record: string; idempotencyKey: string | null; requestHash: string | null };

const COLUMNS = "record, idempotency_key AS idempotencyKey, request_hash AS requestHash";
const parse = ({ record }: Pick<Row, "record">): PromptRecord => JSON.parse(record) as PromptRecord;

export function createPromptStore(db: Database): SessionStores["prompts"] {
  return {
    put(db, record, { idempotencyKey, requestHash }) {
      const sql = `INSERT INTO prompt VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, record = excluded.record`;
      const { promptId, sessionId, status } = record;
      prepared(db, sql).run(promptId, sessionId, status, idempotencyKey, requestHash, JSON.stringify(record));
    },

    get(sessionId, promptId) {
      const sql = "SELECT record FROM prompt WHERE id = ? AND session_id = ?";
      const row = prepared<Row, [string, string]>(db, sql).get(promptId, sessionId);
      return row ? parse(row) : undefined;
    },

    byKey(sessionId, key) {
      const sql = `SELECT ${COLUMNS} FROM prompt WHERE session_id = ? AND idempotency_key = ?`;
      const row = prepared<Row, [string, string]>(db, sql).get(sessionId, key);
      return row ? { record: parse(row), requestHash: row.requestHash ?? "" } : undefined;
    },

    page(sessionId, { before, limit }) {
      const sql = `SELECT record FROM prompt
        WHERE session_id = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3`;
      return prepared<Row, [string, string | null, number]>(db, sql).all(sessionId, before, limit).map(parse);
    },

    unfinished() {
      // As they were taken: ids are by the clock, which may have been set back meanwhile.
      const sql = `SELECT ${COLUMNS} FROM prompt WHERE status IN ('queued', 'running')
        ORDER BY json_extract(record, '$.seq'), id`;
      return prepared<Row, []>(db, sql)
        .all()
        .map((row) => ({
          record: parse(row),
          keys: { idempotencyKey: row.idempotencyKey, requestHash: row.requestHash },
        }));
    },
  };
}
