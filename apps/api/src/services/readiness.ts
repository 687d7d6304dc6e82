import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "bun:sqlite";
import type { Runtime } from "../runtimes/runtime.ts";

export interface ReadinessDeps {
  db: Database;
  runtime: Pick<Runtime, "name" | "probe">;
  timeoutMs?: number;
}

export interface Readiness {
  ready: boolean;
  checks: {
    database: { ok: boolean; code: "ok" | "database_unavailable" | "disk_full" };
    runtime: { ok: boolean; code: "ok" | "runtime_unavailable"; name: string; version: string | null };
  };
}

/** Whether requests can be served in full: the database reads, its disk has room, and the runtime answers in time. */
export function createReadiness({ db, runtime, timeoutMs = 2000 }: ReadinessDeps): () => Promise<Readiness> {
  let asking: Promise<string | null> | undefined;

  /** Callers at the same time share one probe. */
  const runtimeVersion = (): Promise<string | null> => {
    asking ??= probe(runtime, timeoutMs).finally(() => {
      asking = undefined;
    });
    return asking;
  };

  return async () => {
    const version = await runtimeVersion();
    const database = canRead(db) ? (hasRoom(db) ? "ok" : "disk_full") : "database_unavailable";
    return {
      ready: database === "ok" && version !== null,
      checks: {
        database: { ok: database === "ok", code: database },
        runtime: {
          ok: version !== null,
          code: version === null ? "runtime_unavailable" : "ok",
          name: runtime.name,
          version,
        },
      },
    };
  };
}

async function probe(runtime: ReadinessDeps["runtime"], timeoutMs: number): Promise<string | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  try {
    return await Promise.race([runtime.probe().then((answer) => (answer.ok ? answer.version : null)), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** A write takes a few pages of the log, and a checkpoint as many of the database. */
const ROOM_BYTES_MIN = 1024 ** 2;

function hasRoom({ filename }: Database): boolean {
  if (filename === "" || filename === ":memory:") return true;
  try {
    const { bavail, bsize } = statfsSync(dirname(filename));
    return bavail * bsize >= ROOM_BYTES_MIN;
  } catch {
    return false;
  }
}

function canRead(db: Database): boolean {
  try {
    db.query("SELECT 1 FROM resource_tiers LIMIT 1").get();
    return true;
  } catch {
    return false;
  }
}
