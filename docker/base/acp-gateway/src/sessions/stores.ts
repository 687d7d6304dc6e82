import type { Database } from "bun:sqlite";
import type { Elicitation, Permission } from "../wire/index.ts";
import type { PromptRecord } from "./live-prompt.ts";
import type { SessionRecord } from "./live-session.ts";

type PromptKeys = { idempotencyKey: string | null; requestHash: string | null };

export type PendingStore<Value extends Permission | Elicitation> = {
  put(db: Database, value: Value): void;
  get(sessionId: string, id: string): Value | undefined;
  /** The newest first, bounded. */
  list(sessionId: string): Value[];
  /** Those that nobody has answered. */
  pending(): Value[];
};

/** The tables as the sessions see them: `put` is called inside a commit, the rest reads. */
export type SessionStores = {
  sessions: {
    put(db: Database, record: SessionRecord): void;
    /** Removes the session's rows in all tables; its events are the log's. */
    remove(db: Database, id: string): void;
    all(): SessionRecord[];
  };
  prompts: {
    put(db: Database, record: PromptRecord, keys: PromptKeys): void;
    get(sessionId: string, promptId: string): PromptRecord | undefined;
    byKey(sessionId: string, key: string): { record: PromptRecord; requestHash: string } | undefined;
    /** The newest first. */
    page(sessionId: string, options: { before: string | null; limit: number }): PromptRecord[];
    /** Queued or running, the oldest first. */
    unfinished(): { record: PromptRecord; keys: PromptKeys }[];
  };
  permissions: PendingStore<Permission>;
  elicitations: PendingStore<Elicitation>;
};
