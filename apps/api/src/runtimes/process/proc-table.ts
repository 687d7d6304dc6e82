import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTick, setTimeout as sleep } from "node:timers/promises";
import { shareRuns, type ProcessEntry, type ProcessTable } from "./process-table.ts";

/** Processes looked at before others get their turn. */
const BATCH = 100;
/** How often and after which pause a process whose arguments cannot be seen yet is looked at again. */
const ROUNDS_MAX = 20;
const ROUND_MS = 2;
/** PF_KTHREAD of the kernel. */
const KERNEL_THREAD = 0x00200000;

/** Linux: files under /proc, read synchronously, as the kernel answers from memory. */
export function createProcTable(): ProcessTable {
  // Start times count from the boot, so they say nothing across one.
  const boot = read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";

  return {
    async identify(pid) {
      const stat = readStat(pid);
      return stat && `${boot}:${stat.startTicks}`;
    },

    async startOf(identity) {
      const [bootThen, ticks = ""] = identity.split(":");
      const first = readStat(1);
      if (boot === "" || bootThen !== boot || ticks === "" || !first) return null;
      return Number(ticks) >= Number(first.startTicks) ? Number(ticks) : null;
    },

    scan: shareRuns(async () => {
      const entries: ProcessEntry[] = [];
      let pids = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
      for (let round = 0; pids.length > 0 && round < ROUNDS_MAX; round += 1) {
        if (round > 0) await sleep(ROUND_MS);
        const unclear: number[] = [];
        for (const [index, pid] of pids.entries()) {
          if (index % BATCH === BATCH - 1) await nextTick();
          const entry = readEntry(pid);
          if (entry === "unclear") unclear.push(pid);
          else if (entry) entries.push(entry);
        }
        pids = unclear;
      }
      return entries;
    }),
  };
}

/**
 * Unclear is a process without arguments: for a moment, each has none while it becomes another
 * program, and that may be the one that is looked for.
 */
function readEntry(pid: number): ProcessEntry | "unclear" | null {
  const stat = readStat(pid);
  if (!stat || (stat.flags & KERNEL_THREAD) !== 0) return null;
  const command = read(`/proc/${pid}/cmdline`);
  if (command === null) return null;
  if (command === "") return "unclear";
  const environment = read(`/proc/${pid}/environ`) ?? "";
  const home = /(?:^|\0)HOME=([^\0]*)/.exec(environment)?.[1] ?? null;
  return {
    pid,
    groupId: stat.groupId,
    command: command.replaceAll("\0", " ").trim(),
    home,
    startedAt: Number(stat.startTicks),
  };
}

function readStat(pid: number): { groupId: number; flags: number; startTicks: string } | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name, field 2, is in brackets and may hold blanks and brackets; field 3 follows the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, , groupId] = fields;
  const flags = Number(fields[6]);
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined || state === "Z" || state === "X") return null;
  return { groupId: Number(groupId), flags, startTicks };
}

/** Null when the process has gone or is somebody else's. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
