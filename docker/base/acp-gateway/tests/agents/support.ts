import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AgentManagerDeps, createAgentManager } from "../../src/agent-manager.ts";
import { createAcpClient } from "../../src/acp-client.ts";
import { createCounters } from "../../src/agents/counters.ts";
import { createRedactor } from "../../src/agents/redactor.ts";
import type { AgentEntry, AgentHandle, AgentSessionHandlers } from "../../src/types.ts";
import type { JsonObject } from "../../src/wire/index.ts";
import { temporaryFolder } from "../support/gateway.ts";

const SCRIPTED = join(import.meta.dir, "../support/scripted-agent.ts");

/** What a shell script says to be initialized; the first request of a client has the id 1. */
export const HELLO = `read line; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}'`;

export function entry(
  id: string,
  command: readonly [string, ...string[]],
  change: Partial<AgentEntry> = {},
): AgentEntry {
  return {
    id,
    name: id,
    command,
    env: {},
    acceptsEnv: ["TEST_*", "SCRIPTED_*"],
    process: "session",
    install: null,
    quirks: { advertiseFs: false, cancelsOnSecondPrompt: false, loads: true, resumes: true },
    ...change,
  };
}

/** The agent of tests/support/scripted-agent.ts with these flags. */
export const scripted = (...flags: string[]) => entry("scripted", [process.execPath, SCRIPTED, ...flags]);

/** A manager with folders of its own, whose agents may also be shell scripts. */
export async function testManager(change: Partial<AgentManagerDeps> = {}) {
  const folder = await temporaryFolder();
  const logged: { message: string; fields: Record<string, unknown> }[] = [];
  const deps: AgentManagerDeps = {
    entries: [scripted()],
    environment: { PATH: process.env["PATH"], HOME: folder.path },
    dataFolder: join(folder.path, "data"),
    agentsFolder: join(folder.path, "agents"),
    workspace: folder.path,
    installAllowed: false,
    version: "9.9.9",
    limits: { processes: 8, lineBytes: 1024 * 1024 },
    memoryBytesMax: null,
    room: () => Promise.resolve(),
    log: (message, fields = {}) => logged.push({ message, fields }),
    now: Date.now,
    ...change,
    timing: { graceMs: 300, backoffMs: [1, 20], ...change.timing },
  };
  const manager = createAgentManager(deps);
  return {
    folder: folder.path,
    deps,
    manager,
    logged,
    start: (agentId: string, key: string = crypto.randomUUID(), env: Record<string, string> = {}) =>
      manager.start({ agentId, key, cwd: folder.path, env }),
    async [Symbol.asyncDispose]() {
      await manager.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A new session of the scripted agent, by the agent's own id. */
export async function newSession(agent: AgentHandle, cwd: string): Promise<string> {
  const { sessionId } = await agent.request("session/new", { cwd, mcpServers: [] });
  if (typeof sessionId !== "string") throw new Error("the agent gave no sessionId");
  return sessionId;
}

/** Writes a program into a folder of the test. */
export async function script(path: string, body: string): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

export type Heard = {
  updates: { update: JsonObject; raw: string; meta: string | null }[];
  notifications: { method: string; params: JsonObject }[];
  requests: { method: string; params: JsonObject; signal: AbortSignal }[];
};

/** Handlers that remember what they heard and answer requests with what `answer` gives. */
export function listener(
  answer: (method: string, params: JsonObject, signal: AbortSignal) => Promise<JsonObject> = async () => ({}),
) {
  const heard: Heard = { updates: [], notifications: [], requests: [] };
  const handlers: AgentSessionHandlers = {
    onUpdate: (update, raw, meta) => heard.updates.push({ update, raw, meta }),
    onNotification: (method, params) => heard.notifications.push({ method, params }),
    onRequest(method, params, signal) {
      heard.requests.push({ method, params, signal });
      return answer(method, params, signal);
    },
  };
  return { heard, handlers };
}

/** A client whose agent is the test itself. */
export function bareClient(onLine: (line: string) => void = () => {}) {
  const sent: JsonObject[] = [];
  const logged: string[] = [];
  const counters = createCounters();
  const client = createAcpClient({
    agentId: "bare",
    redactor: createRedactor(["hush-hush"]),
    counters,
    send(line) {
      onLine(line);
      sent.push(JSON.parse(line));
    },
    log: (message) => logged.push(message),
  });
  const say = (...lines: (string | object)[]) =>
    client.readBlock(lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return { client, say, sent, counters, logged };
}

export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
