import type { LegacyUsageReport, LegacyUse } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { withoutWaiting } from "../db/without-waiting.ts";
import type { Logger } from "../http/logger.ts";
import { addLegacyUse, legacyUsageSince, listLegacyUsage } from "../models/legacy-usage.ts";

export interface LegacyUsageDeps {
  db: Database;
  logger: Logger;
  sunsetAt: Date;
  now: () => Date;
  /** How long a use may wait in memory. */
  flushMs?: number;
  /** Clients that are told apart; further ones count as `other`. */
  clientsMax?: number;
}

export interface LegacyRequest {
  caller: string;
  userAgent: string | null;
  /** Method and pattern, such as `POST /api/projects`. */
  route: string;
  outcome: LegacyUse["outcome"];
}

export type LegacyUsage = ReturnType<typeof createLegacyUsage>;

/**
 * Counts who still uses what is deprecated. Counting is a look into a map: it neither waits nor fails, and
 * is written down a moment later, again and again until that works.
 */
export function createLegacyUsage({ db, logger, sunsetAt, now, flushMs = 1000, clientsMax = 1000 }: LegacyUsageDeps) {
  const clients = new Set(listLegacyUsage(db).map(({ client }) => client));
  const pending = new Map<string, LegacyUse>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failing = false;

  function told(userAgent: string | null): string {
    const client = clientOf(userAgent);
    if (clients.has(client)) return client;
    if (clients.size >= clientsMax) return "other";
    clients.add(client);
    return client;
  }

  /** All or, when it throws, nothing. */
  function write(): void {
    if (pending.size === 0) return;
    const add = db.transaction(() => {
      for (const use of pending.values()) addLegacyUse(db, use);
    });
    add.immediate();
    pending.clear();
  }

  function flush(): void {
    timer = undefined;
    try {
      withoutWaiting(db, write);
      failing = false;
    } catch (error) {
      if (!failing) logger.warn({ err: error }, "uses of deprecated calls cannot be recorded yet; they are kept");
      failing = true;
      flushSoon();
    }
  }

  function flushSoon(): void {
    timer ??= setTimeout(flush, flushMs);
    timer.unref();
  }

  return {
    count({ caller, userAgent, route, outcome }: LegacyRequest): void {
      const client = told(userAgent);
      const at = now().toISOString();
      const use = { caller, client, route, outcome, count: 1, firstUsedAt: at, lastUsedAt: at };
      merge(pending, use);
      flushSoon();
    },

    /** Every use so far, the latest first. */
    report(): LegacyUsageReport {
      const all = new Map<string, LegacyUse>();
      for (const use of [...listLegacyUsage(db), ...pending.values()]) merge(all, use);
      const usage = [...all.values()].toSorted((a, b) => (a.lastUsedAt < b.lastUsedAt ? 1 : -1));
      return { since: legacyUsageSince(db), sunsetAt: sunsetAt.toISOString(), usage };
    },

    /** Writes down what was counted; now that nobody is kept waiting, it may wait for another process. */
    close(): void {
      clearTimeout(timer);
      try {
        write();
      } catch (error) {
        logger.error({ err: error }, "the last uses of deprecated calls could not be recorded");
      }
    },
  };
}

function merge(uses: Map<string, LegacyUse>, use: LegacyUse): void {
  const key = JSON.stringify([use.caller, use.client, use.route, use.outcome]);
  const known = uses.get(key);
  if (known === undefined) {
    uses.set(key, { ...use });
    return;
  }
  known.count += use.count;
  if (use.firstUsedAt < known.firstUsedAt) known.firstUsedAt = use.firstUsedAt;
  if (use.lastUsedAt > known.lastUsedAt) known.lastUsedAt = use.lastUsedAt;
}

const CLIENT_LENGTH_MAX = 60;

/** The product that a User-Agent names first, such as `curl` of `curl/8.14.1`. */
export function clientOf(userAgent: string | null): string {
  const product = /^\s*([^\s/]*)/.exec(userAgent ?? "")?.[1] ?? "";
  return product.replaceAll(/[^\x21-\x7e]/g, "").slice(0, CLIENT_LENGTH_MAX) || "unknown";
}
