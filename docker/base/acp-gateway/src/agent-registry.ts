import { readFile } from "node:fs/promises";
import { applyAgentsFile } from "./agents/agents-file.ts";
import { BUILT_IN_AGENTS } from "./agents/built-in-agents.ts";
import { addPublished } from "./agents/public-registry.ts";
import type { AgentEntry } from "./types.ts";

const FETCH_TIMEOUT_MS = 15_000;
const REGISTRY_BYTES_MAX = 16 * 1024 * 1024;

/** A file of agents cannot be used; `problems` holds one line for each thing wrong with it. */
export class RegistryError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "RegistryError";
    this.problems = problems;
  }
}

type AgentSources = {
  /** A JSON file with more, other or fewer agents. */
  file: string | null;
  /** File or http(s) URL of a registry in the public format. */
  registry: string | null;
  fetch?: (url: string, init: { signal: AbortSignal }) => Promise<Response>;
};

/**
 * The agents the gateway offers: those built in, then those of the registry, changed by the file.
 * @throws RegistryError with every problem of both at once
 */
export async function loadAgentEntries({
  file,
  registry,
  fetch = globalThis.fetch,
}: AgentSources): Promise<AgentEntry[]> {
  const problems: string[] = [];
  let entries: AgentEntry[] = [...BUILT_IN_AGENTS];
  if (registry !== null) entries = await use(registry, addPublished);
  if (file !== null) entries = await use(file, applyAgentsFile);
  if (problems.length > 0) throw new RegistryError(problems);
  return entries;

  async function use(source: string, apply: typeof addPublished): Promise<AgentEntry[]> {
    const found: string[] = [];
    const content = await read(source).catch((error: unknown) => {
      found.push(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    });
    const result = content === undefined ? entries : apply(entries, content, found);
    problems.push(...found.map((problem) => `${source} ${problem}`));
    return result;
  }

  async function read(source: string): Promise<unknown> {
    if (!/^https?:\/\//.test(source)) return JSON.parse(await readFile(source, "utf8"));
    const response = await fetch(source, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const body = await response.text();
    if (body.length > REGISTRY_BYTES_MAX) throw new Error(`it is larger than ${REGISTRY_BYTES_MAX} bytes`);
    return JSON.parse(body);
  }
}
