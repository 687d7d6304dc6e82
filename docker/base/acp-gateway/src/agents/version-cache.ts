import { packageVersion } from "../package-version.ts";
import type { createVersionProbe } from "../version-probe.ts";
import { fingerprint } from "./program-finder.ts";

/** How long a program that told no version is left alone before it is asked again. */
const RETRY_AFTER_MS = 60_000;

type Known = { state: string; version: Promise<string | null>; askAgainAt: number };

type VersionCacheDeps = { probe: ReturnType<typeof createVersionProbe>; now: () => number };

/** Asks each program for its version once, and again only when its file changes. */
export function createVersionCache({ probe, now }: VersionCacheDeps) {
  const known = new Map<string, Known>();

  async function ask(program: string): Promise<string | null> {
    return (await probe.run(program)) ?? packageVersion(program);
  }

  /** Null also for a program that is gone meanwhile. */
  return async function versionOf(path: string): Promise<string | null> {
    try {
      const { program, state } = fingerprint(path);
      const found = known.get(program);
      if (found?.state === state && now() < found.askAgainAt) return await found.version;
      // A question that failed counts as one without an answer, so it is asked again too.
      const entry: Known = { state, version: ask(program).catch(() => null), askAgainAt: Number.POSITIVE_INFINITY };
      known.set(program, entry);
      const version = await entry.version;
      if (version === null) entry.askAgainAt = now() + RETRY_AFTER_MS;
      return version;
    } catch {
      return null;
    }
  };
}
