import { realpath, stat } from "node:fs/promises";
import { packageVersion } from "./package-version.ts";
import type { AgentEntry, AgentReport } from "./types.ts";
import { createVersionProbe } from "./version-probe.ts";

/** How long a program that told no version is left alone before it is asked again. */
const RETRY_AFTER_MS = 60_000;

type AgentManagerDeps = {
  entries: readonly AgentEntry[];
  /** The environment of the programs, whose PATH is also where they are looked for. */
  env: Record<string, string>;
  now: () => number;
  probe?: ReturnType<typeof createVersionProbe>;
};

type Known = { file: string; version: Promise<string | null>; askAgainAt: number };

export type AgentManager = ReturnType<typeof createAgentManager>;

/**
 * Says which agents are really here. PATH is searched on every call, so an agent installed
 * meanwhile is seen; a program's version is asked once and again only when its file changes.
 * `close` ends whatever is still being asked.
 */
export function createAgentManager({ entries, env, now, probe = createVersionProbe({ env }) }: AgentManagerDeps) {
  const known = new Map<string, Known>();

  async function ask(program: string): Promise<string | null> {
    return (await probe.run(program)) ?? packageVersion(program);
  }

  async function versionOf(path: string): Promise<string | null> {
    const program = await realpath(path);
    const { mtimeMs, size } = await stat(program);
    const file = `${mtimeMs} ${size}`;
    const found = known.get(program);
    if (found?.file === file && now() < found.askAgainAt) return found.version;
    // A question that failed counts as one without an answer, so it is asked again too.
    const entry: Known = { file, version: ask(program).catch(() => null), askAgainAt: Number.POSITIVE_INFINITY };
    known.set(program, entry);
    const version = await entry.version;
    if (version === null) entry.askAgainAt = now() + RETRY_AFTER_MS;
    return version;
  }

  async function report({ id, name, command }: AgentEntry): Promise<AgentReport> {
    const path = Bun.which(command[0], { PATH: env["PATH"] ?? "" });
    // A program removed between the two looks is simply not installed.
    const version = path === null ? null : await versionOf(path).catch(() => null);
    return { id, name, installed: path !== null, version, command: [...command] };
  }

  return {
    list: () => Promise.all(entries.map(report)),

    async find(id: string): Promise<AgentReport | undefined> {
      const entry = entries.find((candidate) => candidate.id === id);
      return entry && report(entry);
    },

    close: () => probe.close(),
  };
}
