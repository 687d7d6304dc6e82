import { open } from "node:fs/promises";
import { constants } from "node:os";
import { hostPortOf, RuntimeError, type SandboxSpec } from "../runtime.ts";
import type { ProjectFolder } from "./project-folder.ts";

/** A child of this very process. */
export interface SpawnedGateway {
  pid: number;
  /** Its exit code, 128 + signal when it was killed. */
  exited: Promise<number>;
}

export interface SpawnGatewayOptions {
  command: readonly string[];
  env: Record<string, string>;
  folder: ProjectFolder;
}

/** Starts the gateway in a session of its own, so that neither the end of the API nor Ctrl-C ends it. */
export async function spawnGateway({ command, env, folder }: SpawnGatewayOptions): Promise<SpawnedGateway> {
  // A file, not a pipe: the child goes on writing when the API is gone. Appending, so that the file can be cut.
  const log = await open(folder.log, "a", 0o600);
  try {
    const child = Bun.spawn([...command], {
      // Not the workspace: the runtime would read its own settings from files there.
      cwd: folder.root,
      env,
      detached: true,
      stdin: "ignore",
      stdout: log.fd,
      stderr: log.fd,
    });
    child.unref();
    const exited = child.exited.then((code) => {
      const { signalCode } = child;
      return typeof signalCode === "string" ? 128 + constants.signals[signalCode] : code;
    });
    return { pid: child.pid, exited };
  } finally {
    await log.close();
  }
}

/** All that the gateway and its agents inherit: the project's own, and of the host only what `baseEnv` allows. */
export function gatewayEnvironment(
  spec: SandboxSpec,
  folder: ProjectFolder,
  baseEnv: Readonly<Record<string, string>>,
): Record<string, string> {
  // The gateway takes its token from one place only.
  const { AGENTPOD_GATEWAY_TOKEN: _, ...ofProject } = spec.env;
  return {
    ...withEnvironment(baseEnv, ofProject),
    HOME: folder.home,
    AGENTPOD_PROJECT_ID: spec.projectId,
    AGENTPOD_WORKSPACE: folder.workspace,
    AGENTPOD_GATEWAY_HOST: "127.0.0.1",
    AGENTPOD_GATEWAY_PORT: String(gatewayPort(spec)),
    // A file, as any user of the host can list another's environment on some systems.
    AGENTPOD_GATEWAY_TOKEN_FILE: folder.token,
  };
}

/** The host's variables under the project's own, which count in either spelling: proxies are looked up in both. */
export function withEnvironment(
  baseEnv: Readonly<Record<string, string>>,
  ofProject: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = new Set(Object.keys(ofProject).map((name) => name.toLowerCase()));
  const inherited = Object.entries(baseEnv).filter(([name]) => !own.has(name.toLowerCase()));
  return { ...Object.fromEntries(inherited), ...ofProject };
}

/** @throws RuntimeError `rejected` when the spec has no port for the gateway */
export function gatewayPort(spec: SandboxSpec): number {
  const port = spec.ports.find(({ name }) => name === "gateway");
  if (!port) throw new RuntimeError("rejected", "the project has no port for its gateway");
  return hostPortOf(port);
}
