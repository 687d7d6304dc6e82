import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Started, startProcess } from "./processes.ts";

/** A server between an agent and its readers. */
export type Side = Started & {
  /** Where its events can be read from now on. */
  stream(): Promise<Stream>;
  /** Begins a turn with what the agent is to do. */
  prompt(text: string): Promise<void>;
};

export type Stream = { path: string; headers: Record<string, string>; quietMs?: number };

export type Agent = {
  /** What runs the agent. */
  command: readonly string[];
  signal: AbortSignal;
};

export type StartSide = (agent: Agent) => Promise<Side>;

const INITIALIZE = { protocolVersion: 1, clientCapabilities: {} };
const NEW_SESSION = { cwd: "/tmp", mcpServers: [] };

export const rpc = (id: number, method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

/** The opening messages of a client, as a raw server hands them on. */
export const OPENING = [rpc(1, "initialize", INITIALIZE), rpc(2, "session/new", NEW_SESSION)];

/** Sends, and throws unless that is taken. */
export async function post(url: string, body: string, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text === "" ? null : JSON.parse(text);
}

/** A folder that is removed with the side. */
export function workFolder() {
  const path = mkdtempSync(join(tmpdir(), "agentpod-bench-gateway-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** One of the servers in this folder, with the agent behind it. */
export async function startOwn(file: string, { command, signal }: Agent) {
  const started = await startProcess({
    command: (port) => [process.execPath, join(import.meta.dir, file), String(port), ...command],
    env: () => ({}),
    cwd: tmpdir(),
    health: "/health",
    signal,
  });
  return { ...started, url: `http://127.0.0.1:${started.port}/` };
}
