import { readdirSync, readFileSync } from "node:fs";

/** One process as /proc tells it. */
type ProcessStat = {
  pid: number;
  state: string;
  group: number;
  /** Clock ticks since boot: with the pid it names one process and no later one. */
  startTime: number;
  rssPages: number;
};

const PAGE_BYTES = 4096;

/** Null when there is no such process. */
export function readStat(pid: number): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    return { pid, state: fields[0] ?? "", group: field(5), startTime: field(22), rssPages: field(24) };
  } catch {
    return null;
  }
}

/** Every process that can be seen, without those that have ended. */
export function allProcesses(): ProcessStat[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null && stat.state !== "Z" && stat.state !== "X") as ProcessStat[];
}

/** Memory in use by each process group, in bytes. Shared pages count for each process. */
export function groupMemory(): Map<number, number> {
  const memory = new Map<number, number>();
  for (const { group, rssPages } of allProcesses()) {
    memory.set(group, (memory.get(group) ?? 0) + rssPages * PAGE_BYTES);
  }
  return memory;
}

/** The variables a process was started with; empty when it may not be looked into. */
export function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** Changes with every start of the machine. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Sends a signal to a whole group; false when there is none. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
