import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { hideFromGit } from "../storage/hide-from-git.ts";
import { allProcesses, bootId, environmentOf, readStat, signalGroup } from "./proc.ts";

/** Every child carries it, with a value of its own, so that its orphans can be told from strangers. */
export const MARK_VARIABLE = "ACP_GATEWAY_PROCESS";

const record = z.object({ pid: z.int().min(2), startTime: z.number(), mark: z.string().min(1) });
const content = z.object({ bootId: z.string(), processes: z.array(record) });
export type ProcessRecord = z.infer<typeof record>;

type ProcessFileDeps = {
  dataFolder: string;
  log: (message: string, fields: Record<string, unknown>) => void;
};

/**
 * `processes.json` names the agents that run, so that the next gateway finds those that outlived this
 * one. A process that only has the pid of an old one is never touched: start time or mark must agree.
 */
export function createProcessFile({ dataFolder, log }: ProcessFileDeps) {
  const path = join(dataFolder, "processes.json");
  const running = new Map<number, ProcessRecord>();

  function write(): void {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    hideFromGit(dataFolder);
    const text = JSON.stringify({ bootId: bootId(), processes: [...running.values()] });
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    chmodSync(`${path}.new`, 0o600);
    renameSync(`${path}.new`, path);
  }

  function left(): ProcessRecord[] {
    try {
      const read = content.parse(JSON.parse(readFileSync(path, "utf8")));
      return read.bootId === bootId() ? read.processes : [];
    } catch (error) {
      if (!isMissing(error)) log("processes.json cannot be read; agents of an earlier gateway may still run", { path });
      return [];
    }
  }

  return {
    /** Ends what an earlier gateway left behind. Returns how many groups that were. */
    reap(): number {
      const reaped = left().filter(endGroup);
      if (reaped.length > 0) log("ended agents of an earlier gateway", { pids: reaped.map(({ pid }) => pid) });
      return reaped.length;
    },

    /** @throws when the file cannot be written: the process must not be used then. */
    add(pid: number, mark: string): void {
      running.set(pid, { pid, startTime: readStat(pid)?.startTime ?? 0, mark });
      write();
    },

    remove(pid: number): void {
      running.delete(pid);
      try {
        write();
      } catch (error) {
        log("processes.json cannot be written", { reason: error instanceof Error ? error.message : String(error) });
      }
    },
  };
}

function endGroup({ pid, startTime, mark }: ProcessRecord): boolean {
  if (readStat(pid)?.startTime === startTime) return signalGroup(pid, "SIGKILL");
  const orphans = allProcesses().filter(
    (found) => found.group === pid && environmentOf(found.pid).includes(`${MARK_VARIABLE}=${mark}`),
  );
  for (const orphan of orphans) {
    try {
      process.kill(orphan.pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
  return orphans.length > 0;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
