import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const TOKEN = "a-token-of-the-tests-1234";
const ENTRY = join(import.meta.dir, "../../src/index.ts");

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

/** Starts a real gateway on a free port, with `env` on top of a workspace and a token. */
export async function startGateway(env: Record<string, string> = {}, args: string[] = []) {
  const workspace = await temporaryFolder();
  const startedAt = performance.now();
  const child = Bun.spawn([process.execPath, ENTRY, ...args], {
    env: {
      PATH: "/usr/bin:/bin",
      AGENTPOD_GATEWAY_PORT: "0",
      AGENTPOD_GATEWAY_TOKEN: TOKEN,
      AGENTPOD_WORKSPACE: workspace.path,
      ...env,
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(child.stdout);
  const first = await lines.next();
  if (first.done) throw new Error(`the gateway ended with ${await child.exited} before it listened`);
  const listening: { port: number; message: string } = JSON.parse(first.value);
  const url = `http://127.0.0.1:${listening.port}`;
  return {
    url,
    child,
    listening,
    workspace: workspace.path,
    startMs: performance.now() - startedAt,
    get: (path: string, init: { method?: string } = {}) =>
      fetch(url + path, { ...init, headers: { authorization: `Bearer ${TOKEN}` } }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await workspace[Symbol.asyncDispose]();
    },
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

/** Resolves when `condition` holds; throws after five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("the condition did not come true within 5 s");
    await Bun.sleep(10);
  }
}
