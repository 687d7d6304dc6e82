import { access, constants, mkdir } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { Logger } from "../../http/logger.ts";
import { RuntimeError, type Runtime, type SandboxRef, type Step } from "../runtime.ts";
import { createHealthWaiter } from "./await-healthy.ts";
import { createSourceCloner } from "./clone-source.ts";
import { closeAll } from "./close-all.ts";
import { createProcessEnder } from "./end-processes.ts";
import { createProcessFinder } from "./find-processes.ts";
import { withFsFailures } from "./fs-failure.ts";
import { boundLog } from "./gateway-log.ts";
import { createGitVersion } from "./git-version.ts";
import { childOf, createLauncher } from "./launcher.ts";
import { createObserver } from "./observe.ts";
import { createProcTable } from "./proc-table.ts";
import { readRecord } from "./process-record.ts";
import type { ProcessTable } from "./process-table.ts";
import { isFolder, projectFolder, projectsRoot, type ProjectFolder } from "./project-folder.ts";
import { createPsTable } from "./ps-table.ts";
import { removeFolder } from "./remove-folder.ts";
import { createGitRunner } from "./run-git.ts";
import { defaultSourceHostRules, type SourceHostRules } from "./source-host.ts";
import { streamLog } from "./stream-log.ts";

const BOUND_LOGS_EVERY_MS = 60_000;

export interface ProcessRuntimeOptions {
  /** Absolute; projects live in `projects/` below it. */
  dataDir: string;
  /** Marks the processes of this installation; without blanks. */
  instanceId: string;
  /** The gateway's program and arguments. */
  command: readonly string[];
  /** What sandboxes inherit of the host's environment: never a secret of the control plane. */
  baseEnv: Readonly<Record<string, string>>;
  healthTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  stopTimeoutMs: number;
  cloneTimeoutMs: number;
  logger: Logger;
  sourceHostRules?: SourceHostRules;
  processTable?: ProcessTable;
}

/**
 * Runs each sandbox as a bare gateway process of this host, with a folder of its own. Nothing keeps
 * it from the rest of the host.
 */
export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<Runtime> {
  const { dataDir, instanceId, command, baseEnv, healthTimeoutMs, stopTimeoutMs, cloneTimeoutMs, logger } = options;
  const table = options.processTable ?? (process.platform === "linux" ? createProcTable() : createPsTable());
  const finder = createProcessFinder({ table, dataDir, instanceId });
  const ender = createProcessEnder({ table, finder, stopTimeoutMs });
  const launcher = createLauncher({ command, baseEnv, instanceId, table, finder, ender });
  const observer = createObserver({ dataDir, launcher, finder });
  const awaitHealthy = createHealthWaiter({ launcher, ender, timeoutMs: healthTimeoutMs });
  const cloneSource = createSourceCloner({
    instanceId,
    baseEnv,
    timeoutMs: cloneTimeoutMs,
    hostRules: options.sourceHostRules ?? defaultSourceHostRules,
    finder,
    ender,
    runGit: createGitRunner({ table, ender }),
  });
  const gitVersion = createGitVersion(baseEnv);
  await withFsFailures(() => mkdir(projectsRoot(dataDir), { recursive: true, mode: 0o700 }));

  const step = <Target extends SandboxRef>(
    name: string,
    work: (target: Target, folder: ProjectFolder, context: Parameters<Step<Target>["run"]>[1]) => Promise<void>,
  ): Step<Target> => ({
    name,
    run: (target, context) =>
      withFsFailures(async () => work(target, projectFolder(dataDir, target.projectId), context)),
  });

  const workspace = step("workspace", async (_spec, folder, { report }) => {
    const isNew = !(await isFolder(folder.root));
    for (const path of [folder.workspace, folder.home]) await mkdir(path, { recursive: true, mode: 0o700 });
    if (isNew) report("created");
  });
  const source = step("source", cloneSource);
  const start = step("start", launcher.launch);
  const healthy = step("healthy", awaitHealthy);

  async function end({ projectId }: SandboxRef, folder: ProjectFolder): Promise<void> {
    await ender.endProject(projectId, childOf(await readRecord(folder.record)));
  }

  async function discard({ projectId }: SandboxRef, folder: ProjectFolder): Promise<void> {
    await removeFolder(folder.root);
    launcher.forget(projectId);
  }

  const boundLogs = async () => {
    for (const projectId of await observer.folders()) await boundLog(projectFolder(dataDir, projectId).log);
  };
  const timer = setInterval(() => {
    boundLogs().catch((error: unknown) => logger.warn({ err: error }, "a sandbox's log could not be shortened"));
  }, BOUND_LOGS_EVERY_MS);
  timer.unref();

  return {
    name: "process",
    capabilities: {
      gpu: false,
      volumes: true,
      addons: false,
      limits: false,
      isolation: false,
      hostPorts: true,
      cpusMax: availableParallelism(),
      memoryBytesMax: totalmem(),
    },
    steps: {
      deploy: [workspace, source, start, healthy],
      start: [start, healthy],
      stop: [
        step<SandboxRef>("stop", async (ref, folder, { report }) => {
          report("stopping");
          await end(ref, folder);
        }),
      ],
      remove: [step<SandboxRef>("stop", end), step<SandboxRef>("remove", discard)],
      abandon: [step<SandboxRef>("abandon", end)],
    },

    async probe() {
      try {
        await access(projectsRoot(dataDir), constants.R_OK | constants.W_OK | constants.X_OK);
        const version = await gitVersion();
        return { ok: true, version: version === null ? "without git" : `with git ${version}` };
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
        return { ok: false, message: `the data folder cannot be written (${code})` };
      }
    },

    inspect: (projectId) => withFsFailures(() => observer.inspect(projectId)),
    list: () => withFsFailures(() => observer.list()),

    sweep: (projectId) =>
      withFsFailures(async () => {
        const folder = projectFolder(dataDir, projectId);
        await end({ projectId }, folder);
        await discard({ projectId }, folder);
      }),

    async *logs(projectId, logOptions) {
      const folder = projectFolder(dataDir, projectId);
      if (!(await isFolder(folder.root))) throw new RuntimeError("not_found", "the project has no sandbox now");
      const record = await readRecord(folder.record);
      yield* streamLog(folder.log, logOptions, async () => {
        // A replaced child ends the stream too: what follows is another sandbox's log.
        if (record === undefined || record === "unreadable") return true;
        return (await launcher.findChild(projectId, record)) === null;
      });
    },

    async close() {
      clearInterval(timer);
      await withFsFailures(async () =>
        closeAll({ dataDir, projectIds: await observer.folders(), ender, finder, logger }),
      );
    },
  };
}
