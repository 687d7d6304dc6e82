import { z } from "zod";
import type { AgentEntry } from "../types.ts";
import { jsonObject } from "../wire/index.ts";
import { PLAIN_QUIRKS } from "./built-in-agents.ts";

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "use the name of a variable");
const text = z.string().min(1).max(4096);
export const agentId = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "use a-z, 0-9 and -, beginning with a letter");
export const exactVersion = z.string().regex(/^\d+\.\d+\.\d+[-+0-9A-Za-z.]*$/, "use one exact version such as 1.2.3");
export const packageName = z
  .string()
  .max(214)
  .regex(/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/, "use the name of an npm package");

const authenticate = z.strictObject({
  needs: variable,
  methodId: text,
  meta: jsonObject.exactOptional(),
  withhold: z.boolean(),
  unless: z.array(variable).exactOptional(),
});

const quirks = z.strictObject({
  advertiseFs: z.boolean().exactOptional(),
  defaultMode: text.exactOptional(),
  cancelsOnSecondPrompt: z.boolean().exactOptional(),
  loads: z.boolean().exactOptional(),
  resumes: z.boolean().exactOptional(),
  minimumNode: z.int().min(1).max(999).exactOptional(),
  authenticate: authenticate.exactOptional(),
});

const agent = z.strictObject({
  id: agentId,
  name: z.string().min(1).max(256).exactOptional(),
  command: z.tuple([text], text).exactOptional(),
  env: z.record(variable, z.string().max(65_536)).exactOptional(),
  acceptsEnv: z
    .array(
      z
        .string()
        .regex(/^(?:[A-Za-z_][A-Za-z0-9_]*\*?|\*[A-Za-z0-9_]+)$/, "use a name, its beginning and *, or * and its end"),
    )
    .exactOptional(),
  process: z.enum(["session", "shared"]).exactOptional(),
  install: z
    .strictObject({ package: packageName, version: exactVersion, scripts: z.boolean().exactOptional() })
    .nullable()
    .exactOptional(),
  quirks: quirks.exactOptional(),
});

const agentsFile = z.strictObject({
  /** Other or changed agents: what a known one does not give stays as it is. */
  agents: z.array(agent).max(1000).default([]),
  /** Known agents that are not to be offered. */
  remove: z.array(agentId).default([]),
});

/** `problems` gets a line for each thing wrong with the file's content. */
export function applyAgentsFile(known: readonly AgentEntry[], content: unknown, problems: string[]): AgentEntry[] {
  const read = agentsFile.safeParse(content);
  if (!read.success) {
    problems.push(...read.error.issues.map(({ path, message }) => `/${path.join("/")}: ${message}`));
    return [...known];
  }
  const entries = new Map(known.map((entry) => [entry.id, entry]));
  for (const [index, { quirks, ...change }] of read.data.agents.entries()) {
    const base = entries.get(change.id);
    const command = change.command ?? base?.command;
    if (!command) {
      problems.push(`/agents/${index}/command: ${change.id} is no known agent; give its command`);
      continue;
    }
    entries.set(change.id, {
      name: change.id,
      env: {},
      acceptsEnv: [],
      process: "session",
      install: null,
      ...base,
      ...change,
      command,
      quirks: { ...PLAIN_QUIRKS, ...base?.quirks, ...quirks },
    });
  }
  for (const [index, id] of read.data.remove.entries()) {
    if (!entries.delete(id)) problems.push(`/remove/${index}: ${id} is no known agent`);
  }
  return [...entries.values()];
}
