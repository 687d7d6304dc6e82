import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { startProcess } from "./processes.ts";
import { type Agent, OPENING, post, rpc, type Side, workFolder } from "./sides.ts";
import { AGENT_SESSION } from "./updates.ts";

const VERSION = "0.4.2";
const INSTALL_MS = 30_000;
/** After so long without an event what is missing is lost: its stream does not say so. */
const QUIET_MS = 2000;

/** Takes the program of its npm package. @throws Error when npm cannot be reached */
export async function installSandboxAgent(signal: AbortSignal): Promise<string> {
  const name = `@sandbox-agent/cli-linux-${process.arch}`;
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "agentpod", "bench");
  const folder = join(cache, `sandbox-agent-${VERSION}`);
  const program = join(folder, "node_modules", name, "bin", "sandbox-agent");
  if (!existsSync(program)) await npmInstall(folder, `${name}@${VERSION}`, signal);
  chmodSync(program, 0o755);
  return program;
}

async function npmInstall(folder: string, what: string, signal: AbortSignal): Promise<void> {
  const work = `${folder}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    writeFileSync(join(work, "package.json"), "{}");
    const npm = Bun.spawn(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", what], {
      cwd: work,
      stdio: ["ignore", "ignore", "pipe"],
      signal,
      timeout: INSTALL_MS,
    });
    const said = await npm.stderr.text();
    if ((await npm.exited) !== 0) {
      const why =
        said.split("\n").find((line) => line.startsWith("npm error")) ?? `it took more than ${INSTALL_MS / 1000} s`;
      throw new Error(`npm could not install ${what}: ${why}`);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** sandbox-agent's server. It knows a fixed list of agents: ours takes the place of one of them. */
export async function startSandboxAgent(program: string, { command, signal }: Agent): Promise<Side> {
  const folder = workFolder();
  const stand = join(folder.path, "opencode");
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  writeFileSync(stand, `#!/bin/sh\nexec ${quoted}\n`, { mode: 0o755 });
  const started = await startProcess({
    command: (port) => [program, "server", "--no-telemetry", "--no-token", "--port", String(port)],
    env: () => ({
      HOME: folder.path,
      PATH: `${folder.path}:/usr/local/bin:/usr/bin:/bin`,
      // It must not fetch the agent whose name ours has.
      SANDBOX_AGENT_REQUIRE_PREINSTALL: "1",
    }),
    cwd: folder.path,
    health: "/v1/health",
    signal,
  });
  const servers = `http://127.0.0.1:${started.port}/v1/acp`;
  let streams = 0;
  const path = () => `${servers}/bench-${streams}`;
  return {
    ...started,
    /** Of an agent of its own: a new reader is given what is left of earlier turns. */
    async stream() {
      streams += 1;
      const [initialize = "", newSession = ""] = OPENING;
      await post(`${path()}?agent=opencode`, initialize);
      await post(path(), newSession);
      return { path: new URL(path()).pathname, headers: {}, quietMs: QUIET_MS };
    },
    // Its answer comes with the end of the turn; only the stream is of interest.
    prompt(text) {
      const params = { sessionId: AGENT_SESSION, prompt: [{ type: "text", text }] };
      post(path(), rpc(OPENING.length + 1, "session/prompt", params)).catch(() => undefined);
      return Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}
