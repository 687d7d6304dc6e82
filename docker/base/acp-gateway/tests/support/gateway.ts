import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const TOKEN = "a-token-of-the-tests-1234";
const ENTRY = join(import.meta.dir, "../../src/index.ts");
const SCRIPTED_AGENT = join(import.meta.dir, "scripted-agent.ts");

/** Runs the gateway with exactly this environment and waits for its end. */
export async function runToEnd(env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, ENTRY], { env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

/** A folder that is removed with the returned object. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "acp-gateway-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

type StartOptions = {
  args?: string[];
  /** Absent: one of its own. It is the caller's to remove. */
  workspace?: string;
  /** Absent: the source; else what was built of it. */
  entry?: string;
  /** A script that is given the gateway's command. */
  shell?: string;
  /** What stands before the gateway's command. */
  prefix?: readonly string[];
};

/** Starts a real gateway on a free port, with `env` on top of a workspace, a token and the agent `scripted`. */
export async function startGateway(env: Record<string, string> = {}, options: StartOptions = {}) {
  const { args = [], entry = ENTRY, shell, prefix = [] } = options;
  const command = [...prefix, process.execPath, entry, ...args];
  const folder = await temporaryFolder();
  const workspace = options.workspace ?? folder.path;
  const agentsFile = join(folder.path, "agents.json");
  await writeFile(agentsFile, JSON.stringify({ agents: [scriptedAgent()] }));
  const startedAt = performance.now();
  const child = Bun.spawn(shell === undefined ? command : ["sh", "-c", await Bun.file(shell).text(), ...command], {
    env: {
      PATH: "/usr/bin:/bin",
      AGENTPOD_GATEWAY_PORT: "0",
      AGENTPOD_GATEWAY_TOKEN: TOKEN,
      AGENTPOD_WORKSPACE: workspace,
      AGENTPOD_AGENTS_FILE: agentsFile,
      ...env,
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(child.stdout);
  const logged: string[] = [];
  let listening: { port: number; message: string } | undefined;
  // What an earlier gateway left behind is told before.
  while (listening?.message !== "listening") {
    const line = await lines.next();
    if (line.done) throw new Error(`the gateway ended with ${await child.exited} before it listened`);
    listening = JSON.parse(line.value) as { port: number; message: string };
  }
  void (async () => {
    for await (const line of lines) logged.push(line);
  })();
  const url = `http://127.0.0.1:${listening.port}`;
  const call = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
    return fetch(url + path, { ...init, headers });
  };
  return {
    url,
    child,
    listening,
    /** Lines the gateway has written since it listened. */
    logged,
    workspace,
    startMs: performance.now() - startedAt,
    get: call,
    post: (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
      call(path, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await child.exited;
      clearTimeout(timer);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The agent of the tests, which does what each line of a prompt says. */
function scriptedAgent(...flags: string[]) {
  return {
    id: "scripted",
    name: "Scripted",
    command: [process.execPath, SCRIPTED_AGENT, ...flags],
    acceptsEnv: ["SCRIPTED_AGENT_STATE"],
    quirks: { loads: true },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
}

/** Resolves when `condition` holds; throws after `ms`. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 5000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition did not come true within ${ms / 1000} s`);
    await Bun.sleep(10);
  }
}
