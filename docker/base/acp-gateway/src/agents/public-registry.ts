import { basename } from "node:path";
import { z } from "zod";
import type { AgentEntry, AgentPackage } from "../types.ts";
import { agentId, exactVersion, packageName } from "./agents-file.ts";
import { PLAIN_QUIRKS } from "./built-in-agents.ts";

const args = z.array(z.string()).default([]);
const env = z.record(z.string(), z.string()).default({});
const packaged = z.looseObject({ package: z.string().min(1), args, env });
const archive = z.looseObject({ cmd: z.string().min(1), args, env });

/** One agent as https://github.com/agentclientprotocol/registry publishes it. */
const published = z.looseObject({
  id: agentId,
  name: z.string().min(1).max(256),
  version: z.string(),
  distribution: z.looseObject({
    npx: packaged.optional(),
    uvx: packaged.optional(),
    binary: z.record(z.string(), archive).optional(),
  }),
});
type Published = z.infer<typeof published>;

const registry = z.looseObject({ agents: z.array(z.unknown()) });

/**
 * Adds the agents of a public registry to those that are known. A known one stays as it is, because its
 * quirks were found by trial with its release. What comes as an archive or from Python can be run once
 * its program is on PATH. `problems` gets a line for each agent that cannot be read.
 */
export function addPublished(known: readonly AgentEntry[], content: unknown, problems: string[]): AgentEntry[] {
  const read = registry.safeParse(content);
  if (!read.success) {
    problems.push("it is no registry of agents: an object with a list called agents is expected");
    return [...known];
  }
  const entries = new Map(known.map((entry) => [entry.id, entry]));
  const packages = new Set(known.map(({ install }) => install?.package));
  for (const [index, item] of read.data.agents.entries()) {
    const agent = published.safeParse(item);
    if (!agent.success) {
      problems.push(...agent.error.issues.map(({ path, message }) => `/agents/${index}/${path.join("/")}: ${message}`));
      continue;
    }
    const entry = toEntry(agent.data);
    if (entry && !entries.has(entry.id) && !packages.has(entry.install?.package ?? "")) entries.set(entry.id, entry);
  }
  return [...entries.values()];
}

/** Undefined where the agent has nothing for this machine. */
function toEntry({ id, name, version, distribution }: Published): AgentEntry | undefined {
  const { npx, uvx, binary } = distribution;
  const here = binary?.[`${process.platform}-${process.arch === "arm64" ? "aarch64" : "x86_64"}`];
  const plain = { id, name, acceptsEnv: [], process: "session", quirks: PLAIN_QUIRKS } as const;
  if (npx) {
    const install = pinned(npx.package, version);
    const program = basename(install?.package ?? withoutVersion(npx.package));
    return { ...plain, command: [program, ...npx.args], env: npx.env, install };
  }
  if (here) return { ...plain, command: [basename(here.cmd), ...here.args], env: here.env, install: null };
  if (uvx)
    return { ...plain, command: [basename(withoutVersion(uvx.package)), ...uvx.args], env: uvx.env, install: null };
  return undefined;
}

/** Null without one exact version: what is installed must be the same tomorrow. */
function pinned(specifier: string, agentVersion: string): AgentPackage | null {
  const name = withoutVersion(specifier);
  const version = specifier.slice(name.length + 1) || agentVersion;
  return packageName.safeParse(name).success && exactVersion.safeParse(version).success
    ? { package: name, version }
    : null;
}

function withoutVersion(specifier: string): string {
  return specifier.replace(/(?<=.)(@|==|\[).*$/, "");
}
