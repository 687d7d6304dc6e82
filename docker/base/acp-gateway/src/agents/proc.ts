import { readdirSync, readFileSync } from "node:fs";

/** One process as /proc tells it. */
type ProcessStat = {
  pid: number;
  state: string;
  group: number;
  /** Clock ticks since boot: with the pid it names one process and no later one. */
  startTime: number;
};

/** Null when there is no such process. */
export function readStat(pid: number): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    return { pid, state: fields[0] ?? "", group: field(5), startTime: field(22) };
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

/** Memory in use by these process groups, in bytes. Shared pages count for each process. */
export function groupMemory(groups: ReadonlySet<number>): Map<number, number> {
  const memory = new Map<number, number>();
  for (const { pid, group } of allProcesses()) {
    if (groups.has(group)) memory.set(group, (memory.get(group) ?? 0) + residentBytes(pid));
  }
  return memory;
}

function residentBytes(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
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
