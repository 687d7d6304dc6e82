import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { startProcess } from "./processes.ts";
import { type Agent, post, type Side, type Stream, workFolder } from "./sides.ts";

const TOKEN = "a-token-of-the-benchmark";
const AUTHORIZATION = { authorization: `Bearer ${TOKEN}` };
const SOURCE = resolve(import.meta.dir, "../../../docker/base/acp-gateway");

export type GatewaySide = Side & {
  /** The session's events after a number. */
  streamAfter(seq: number): Stream;
  lastSeq(): Promise<number>;
};

/** Bundles the gateway as the image does. Returns the file. */
export async function bundleGateway(folder: string): Promise<string> {
  const file = join(folder, "gateway.js");
  const build = Bun.spawn([process.execPath, "build", "src/index.ts", "--target=bun", `--outfile=${file}`], {
    cwd: SOURCE,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = await build.stderr.text();
  if ((await build.exited) !== 0) throw new Error(`the gateway could not be bundled: ${said}`);
  return file;
}

/** The gateway as the image runs it, on a new workspace. */
export async function startGateway(file: string, { command, signal }: Agent) {
  const folder = workFolder();
  const agentsFile = join(folder.path, "agents.json");
  writeFileSync(agentsFile, JSON.stringify({ agents: [{ id: "bench", name: "Bench", command }] }));
  const started = await startProcess({
    command: () => [process.execPath, file],
    env: (port) => ({
      AGENTPOD_GATEWAY_PORT: String(port),
      AGENTPOD_GATEWAY_TOKEN: TOKEN,
      AGENTPOD_WORKSPACE: folder.path,
      AGENTPOD_AGENTS_FILE: agentsFile,
    }),
    cwd: folder.path,
    health: "/health",
    signal,
  });
  return {
    ...started,
    workspace: folder.path,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}

/** A gateway with one session, whose agent runs. */
export async function startGatewaySide(file: string, agent: Agent): Promise<GatewaySide> {
  const started = await startGateway(file, agent);
  const base = `http://127.0.0.1:${started.port}/v1/sessions`;
  const made = (await post(base, JSON.stringify({ agent: "bench", cwd: started.workspace }), AUTHORIZATION)) as {
    id: string;
  };
  const streamAfter = (seq: number) => ({
    path: `/v1/sessions/${made.id}/events?after=${seq}`,
    headers: AUTHORIZATION,
  });
  const lastSeq = async () => {
    const response = await fetch(`${base}/${made.id}`, { headers: AUTHORIZATION });
    return ((await response.json()) as { lastSeq: number }).lastSeq;
  };
  return {
    ...started,
    streamAfter,
    lastSeq,
    stream: async () => streamAfter(await lastSeq()),
    prompt: async (text) => void (await post(`${base}/${made.id}/prompt`, JSON.stringify({ text }), AUTHORIZATION)),
  };
}
