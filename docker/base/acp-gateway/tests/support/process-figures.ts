import { readdirSync, readFileSync } from "node:fs";

/** What a process has and has used so far, of /proc. */
export function figuresOf(pid: number) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    residentMiB: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024,
    /** A clock tick is 10 ms on every Linux that Bun runs on. */
    cpuMs: (Number(fields[11]) + Number(fields[12])) * 10,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}

/** How many files this process, and those it starts, may have open. */
export function descriptorLimit(): number {
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 1024);
}
