import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "bun:sqlite";
import type { Runtime } from "../runtimes/runtime.ts";

export interface ReadinessDeps {
  db: Database;
  runtime: Pick<Runtime, "name" | "probe">;
  /** Whether the registry of the images answers; absent where none is used. */
  registryAnswers?: (() => Promise<boolean>) | undefined;
  timeoutMs?: number;
}

export interface Readiness {
  ready: boolean;
  checks: {
    database: { ok: boolean; code: "ok" | "database_unavailable" | "disk_full" };
    runtime: { ok: boolean; code: "ok" | "runtime_unavailable"; name: string; version: string | null };
    registry: { ok: boolean; code: "ok" | "registry_unavailable" | "not_used" };
  };
}

/**
 * Whether requests can be served: the database reads, its disk has room, and the runtime answers in time. A registry
 * that does not answer is told, but takes nothing away: what runs does without it, and so does what was pulled before.
 */
export function createReadiness(deps: ReadinessDeps): () => Promise<Readiness> {
  const { db, runtime, registryAnswers, timeoutMs = 2000 } = deps;
  let asking: Promise<string | null> | undefined;

  /** Callers at the same time share one probe. */
  const runtimeVersion = (): Promise<string | null> => {
    asking ??= inTime(
      runtime.probe().then((answer) => (answer.ok ? answer.version : null)),
      timeoutMs,
    ).finally(() => {
      asking = undefined;
    });
    return asking;
  };

  const registryCode = async (): Promise<Readiness["checks"]["registry"]["code"]> => {
    if (registryAnswers === undefined) return "not_used";
    return (await inTime(registryAnswers(), timeoutMs)) === true ? "ok" : "registry_unavailable";
  };

  return async () => {
    const [version, registry] = await Promise.all([runtimeVersion(), registryCode()]);
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
        registry: { ok: registry !== "registry_unavailable", code: registry },
      },
    };
  };
}

/** Null when the answer takes longer. */
async function inTime<Answer>(answer: Promise<Answer>, timeoutMs: number): Promise<Answer | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  try {
    return await Promise.race([answer, tooLate]);
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
