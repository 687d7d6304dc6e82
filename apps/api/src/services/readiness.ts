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
    database: { ok: boolean; code: "ok" | "database_unavailable" };
    runtime: { ok: boolean; code: "ok" | "runtime_unavailable"; name: string; version: string | null };
  };
}

/** Whether requests can be served in full: the database reads, and the runtime answers in time. */
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
    const reads = canRead(db);
    return {
      ready: reads && version !== null,
      checks: {
        database: { ok: reads, code: reads ? "ok" : "database_unavailable" },
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

function canRead(db: Database): boolean {
  try {
    db.query("SELECT 1 FROM resource_tiers LIMIT 1").get();
    return true;
  } catch {
    return false;
  }
}
