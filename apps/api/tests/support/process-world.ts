import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { createProcTable } from "../../src/runtimes/process/proc-table.ts";
import { createPsTable } from "../../src/runtimes/process/ps-table.ts";
import { createProcessRuntime, type ProcessRuntimeOptions } from "../../src/runtimes/process/index.ts";
import { RuntimeError, type Runtime, type SandboxSpec, type Step } from "../../src/runtimes/runtime.ts";
import { createPortAllocator } from "../../src/services/port-allocator.ts";

export const GATEWAY = [
  process.execPath,
  join(import.meta.dir, "../../../../docker/base/acp-gateway/src/index.ts"),
] as const;

/** A gateway of a few lines; `MOOD` in its environment says how it misbehaves. */
export const MOODY_GATEWAY = [process.execPath, join(import.meta.dir, "moody-gateway.ts")] as const;

export const systemTable = () => (process.platform === "linux" ? createProcTable() : createPsTable());

const { pick } = createPortAllocator({ range: { from: 20_000, to: 32_767 } });

export interface World {
  dataDir: string;
  instanceId: string;
  options: ProcessRuntimeOptions;
  runtime: Runtime;
  /** Another life of the control plane on the same data. */
  restart: (changes?: Partial<ProcessRuntimeOptions>) => Promise<Runtime>;
  spec: (changes?: Partial<SandboxSpec>) => Promise<SandboxSpec>;
  folder: (spec: { projectId: string }) => string;
  /** Pids of everything that carries this installation's mark or its folders as HOME. */
  processes: () => Promise<number[]>;
  end: () => Promise<void>;
}

export async function createWorld(changes: Partial<ProcessRuntimeOptions> = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), "agentpod-process-"));
  const instanceId = `test-${crypto.randomUUID()}`;
  const options: ProcessRuntimeOptions = {
    dataDir,
    instanceId,
    command: GATEWAY,
    baseEnv: { PATH: process.env["PATH"] ?? "", LANG: "C.UTF-8" },
    healthTimeoutMs: 20_000,
    stopTimeoutMs: 5_000,
    cloneTimeoutMs: 20_000,
    logger: pino({ level: "silent" }),
    ...changes,
  };
  const runtimes = [await createProcessRuntime(options)];
  const [runtime] = runtimes;
  if (!runtime) throw new Error("no runtime");
  const processes = async () =>
    (await systemTable().scan())
      .filter(({ command, home }) => command.includes(instanceId) || home?.startsWith(dataDir))
      .map(({ pid }) => pid);
  return {
    dataDir,
    instanceId,
    options,
    runtime,
    async restart(more = {}) {
      const next = await createProcessRuntime({ ...options, ...more });
      runtimes.push(next);
      return next;
    },
    spec: async (more = {}) => makeSpec(more),
    folder: ({ projectId }) => join(dataDir, "projects", projectId),
    processes,
    async end() {
      for (const each of runtimes) await each.close();
      const left = await processes();
      for (const pid of left) process.kill(pid, "SIGKILL");
      await rm(dataDir, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`processes ${left.join(", ")} outlived the runtime`);
    },
  };
}

export async function makeSpec(changes: Partial<SandboxSpec> = {}): Promise<SandboxSpec> {
  const [hostPort = 0] = await pick(1, new Set());
  const id = crypto.randomUUID();
  return {
    projectId: id,
    slug: `p-${id.slice(0, 8)}`,
    generation: 1,
    imageRef: "registry.example/agentpod/agentpod-js:1",
    flavorId: "js",
    addonIds: [],
    limits: { cpus: 1, memoryBytes: 1024 ** 3, storageBytes: 1024 ** 3 },
    requiresGpu: false,
    ports: [{ name: "gateway", containerPort: 4097, hostPort }],
    urls: { opencode: null, acpGateway: null, codeServer: null, vnc: null, domainsConfig: "" },
    sourceUrl: null,
    gatewayToken: `token-${crypto.randomUUID()}`,
    env: {},
    ...changes,
  };
}

/** Runs steps in their order; returns the types of the events they reported. */
export async function runSteps<Target extends { projectId: string }>(
  steps: readonly Step<Target>[],
  target: Target,
  signal: AbortSignal = new AbortController().signal,
): Promise<string[]> {
  const types: string[] = [];
  for (const step of steps) await step.run(target, { report: (type) => void types.push(type), signal });
  return types;
}

export async function failureOf(promise: Promise<unknown>): Promise<RuntimeError> {
  const error = await promise.then(
    () => new Error("nothing failed"),
    (reason: unknown) => reason,
  );
  if (error instanceof RuntimeError) return error;
  throw error;
}

/** The gateway's own answer; undefined when nobody answers. */
export async function askInfo(spec: SandboxSpec): Promise<unknown> {
  const port = spec.ports[0]?.hostPort;
  const headers = { authorization: `Bearer ${spec.gatewayToken}` };
  return fetch(`http://127.0.0.1:${port}/info`, { headers }).then(
    (response) => response.json(),
    () => undefined,
  );
}

export async function recordOf(
  world: World,
  spec: { projectId: string },
): Promise<{ child: { pid: number; identity: string } | null }> {
  return Bun.file(join(world.folder(spec), "process.json")).json();
}

export async function pidOf(world: World, spec: { projectId: string }): Promise<number> {
  const { child } = await recordOf(world, spec);
  if (!child) throw new Error("no child is recorded");
  return child.pid;
}

/** Waits for a condition; throws after some seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await Bun.sleep(10);
  }
}

export const projectFolders = (world: World): Promise<string[]> => readdir(join(world.dataDir, "projects"));
