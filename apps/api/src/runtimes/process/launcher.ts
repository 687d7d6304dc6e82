import { createHash } from "node:crypto";
import { RuntimeError, type SandboxSpec, type StepContext } from "../runtime.ts";
import type { ProcessEnder } from "./end-processes.ts";
import { gatewayMarks, type ProcessFinder } from "./find-processes.ts";
import { boundLog, logSize } from "./gateway-log.ts";
import { readRecord, writeRecord, type ProcessRecord } from "./process-record.ts";
import type { ProcessTable } from "./process-table.ts";
import { isFolder, type ProjectFolder } from "./project-folder.ts";
import { replaceFile } from "./replace-file.ts";
import { gatewayEnvironment, gatewayPort, spawnGateway, type SpawnedGateway } from "./spawn-gateway.ts";

export interface LauncherDeps {
  command: readonly string[];
  baseEnv: Readonly<Record<string, string>>;
  instanceId: string;
  table: ProcessTable;
  finder: ProcessFinder;
  ender: ProcessEnder;
}

export type Launcher = ReturnType<typeof createLauncher>;

/** Starts gateways, each once: one that runs already as it should is kept, any other is replaced. */
export function createLauncher({ command, baseEnv, instanceId, table, finder, ender }: LauncherDeps) {
  /** Children of this very process, by project. */
  const spawned = new Map<string, SpawnedGateway>();
  /** Projects between the note that a child is to come and the note of the child. */
  const launching = new Set<string>();

  /** The child that runs for a record, also one that nobody had the time to write down. */
  async function findChild(projectId: string, record: ProcessRecord): Promise<ProcessRecord["child"]> {
    if (record.child) {
      return (await table.identify(record.child.pid)) === record.child.identity ? record.child : null;
    }
    if (launching.has(projectId)) return null;
    const gateway = (await finder.of(projectId)).find(({ kind }) => kind === "gateway");
    const identity = gateway ? await table.identify(gateway.pid) : null;
    return gateway && identity !== null ? { pid: gateway.pid, identity } : null;
  }

  async function launch(spec: SandboxSpec, folder: ProjectFolder, { report, signal }: StepContext): Promise<void> {
    if (!(await isFolder(folder.workspace))) {
      throw new RuntimeError("not_found", "the project's folder is gone; deploy the project again");
    }
    const { projectId, generation } = spec;
    const port = gatewayPort(spec);
    const fingerprint = fingerprintOf(spec, command);
    const earlier = await readRecord(folder.record);
    if (earlier !== undefined && earlier !== "unreadable") {
      const child = earlier.fingerprint === fingerprint ? await findChild(projectId, earlier) : null;
      if (child) {
        if (!earlier.child) await writeRecord(folder.record, { ...earlier, child });
        return;
      }
    }
    if (earlier !== undefined) await ender.endProject(projectId, childOf(earlier));
    if (signal.aborted) throw new RuntimeError("timeout", "the start was ended", { cause: signal.reason });

    await replaceFile(folder.token, spec.gatewayToken);
    await boundLog(folder.log);
    const record = {
      generation,
      fingerprint,
      port,
      startedAt: new Date().toISOString(),
      logOffset: await logSize(folder.log),
    };
    launching.add(projectId);
    try {
      await writeRecord(folder.record, { ...record, child: null });
      report("starting", { port });
      const child = await spawnGateway({
        command: [...command, ...gatewayMarks(instanceId, projectId)],
        env: gatewayEnvironment(spec, folder, baseEnv),
        folder,
      });
      spawned.set(projectId, child);
      const identity = (await table.identify(child.pid)) ?? "ended at once";
      await writeRecord(folder.record, { ...record, child: { pid: child.pid, identity } });
    } finally {
      launching.delete(projectId);
    }
  }

  return {
    launch,
    findChild,

    /** How a child ended; null for one that this process did not start, or that still runs. */
    async exitCode(projectId: string, pid: number): Promise<number | null> {
      const child = spawned.get(projectId);
      if (child?.pid !== pid) return null;
      // The system may show it as gone a moment before its exit is told here.
      const { promise, resolve } = Promise.withResolvers<null>();
      const timer = setTimeout(() => resolve(null), 100);
      return Promise.race([child.exited, promise]).finally(() => clearTimeout(timer));
    },

    forget: (projectId: string): void => void spawned.delete(projectId),
  };
}

/** The child that a record names, running or not. */
export function childOf(
  record: ProcessRecord | "unreadable" | undefined,
): { pid: number; identity: string } | undefined {
  return record === undefined || record === "unreadable" ? undefined : (record.child ?? undefined);
}

function fingerprintOf(spec: SandboxSpec, command: readonly string[]): string {
  const { generation, gatewayToken, env } = spec;
  const parts = [
    command,
    generation,
    gatewayPort(spec),
    gatewayToken,
    Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
