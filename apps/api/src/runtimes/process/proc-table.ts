import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTick } from "node:timers/promises";
import { shareRuns, type ProcessEntry, type ProcessTable } from "./process-table.ts";

/** Processes looked at before others get their turn. */
const BATCH = 100;

/** Linux: files under /proc, read synchronously, as the kernel answers from memory. */
export function createProcTable(): ProcessTable {
  // Start times count from the boot, so they say nothing across one.
  const boot = read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";

  return {
    async identify(pid) {
      const stat = readStat(pid);
      return stat && `${boot}:${stat.startTicks}`;
    },

    scan: shareRuns(async () => {
      const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
      const entries: ProcessEntry[] = [];
      for (const [index, name] of pids.entries()) {
        if (index % BATCH === BATCH - 1) await nextTick();
        const entry = readEntry(Number(name));
        if (entry) entries.push(entry);
      }
      return entries;
    }),
  };
}

function readEntry(pid: number): ProcessEntry | null {
  const command = read(`/proc/${pid}/cmdline`);
  // Kernel threads have none, nor have processes that are just ending.
  if (!command) return null;
  const stat = readStat(pid);
  if (!stat) return null;
  const home = /(?:^|\0)HOME=([^\0]*)/.exec(read(`/proc/${pid}/environ`) ?? "")?.[1] ?? null;
  return { pid, groupId: stat.groupId, command: command.replaceAll("\0", " ").trim(), home };
}

function readStat(pid: number): { groupId: number; startTicks: string } | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name, field 2, is in brackets and may hold blanks and brackets; field 3 follows the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, , groupId] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined || state === "Z" || state === "X") return null;
  return { groupId: Number(groupId), startTicks };
}

/** Null when the process has gone or is somebody else's. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
