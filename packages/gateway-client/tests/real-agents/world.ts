import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createGatewayClient } from "../../src/index.ts";
import { startModelServer } from "../../../../docker/base/acp-gateway/tests/support/model-server/index.ts";
import { AGENTS, type Setup } from "./agents.ts";

const ENTRY = join(import.meta.dir, "../../../../docker/base/acp-gateway/src/index.ts");
const TOKEN = "a-token-of-the-real-agents";

type Options = { agent: string; path: string; env?: Record<string, string> };

/** A model server, a home of its own, and a gateway that can be killed and started again. */
export async function createWorld({ agent, path, env = {} }: Options) {
  const setUp = AGENTS[agent];
  if (!setUp) throw new Error(`no such agent: ${agent}; there are ${Object.keys(AGENTS).join(", ")}`);
  const model = startModelServer({ chunkMs: 5 });
  const folder = await mkdtemp(join(tmpdir(), `real-${agent}-`));
  const home = join(folder, "home");
  const workspace = join(folder, "workspace");
  await Promise.all([home, workspace].map((path) => mkdir(path, { recursive: true })));
  const setup: Setup = setUp(model, home);
  for (const [name, content] of Object.entries(setup.files ?? {})) {
    await mkdir(dirname(join(home, name)), { recursive: true });
    await writeFile(join(home, name), JSON.stringify(content));
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const client = createGatewayClient({ url, token: TOKEN, timeoutMs: 90_000 });
  let child: Bun.Subprocess | undefined;

  const world = {
    client,
    model,
    setup,
    workspace,

    async start() {
      child = Bun.spawn([process.execPath, ENTRY], {
        env: {
          PATH: path,
          HOME: home,
          AGENTPOD_GATEWAY_PORT: String(port),
          AGENTPOD_GATEWAY_TOKEN: TOKEN,
          AGENTPOD_WORKSPACE: workspace,
          ...env,
        },
        stdout: Bun.file(join(folder, "gateway.log")),
        stderr: "inherit",
      });
      while (!(await fetch(`${url}/health`).catch(() => null))?.ok) {
        if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
        await Bun.sleep(20);
      }
    },

    /** Ends the gateway as a crash would. */
    async kill() {
      child?.kill("SIGKILL");
      await child?.exited;
    },

    newSession: () => client.createSession({ agent, env: setup.env, ...setup.session }),

    /** The pid of the one agent that runs. */
    async agentPid(sessionId: string): Promise<number> {
      const page = await client.eventPage(sessionId, { types: "agent_started", limit: 1000 });
      return Number(page.events.at(-1)?.data?.["pid"]);
    },

    async [Symbol.asyncDispose]() {
      child?.kill("SIGTERM");
      await child?.exited;
      await model[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await world.start();
  return world;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** A port that stays the same over restarts. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
