import { readFileSync } from "node:fs";

/** Where the measured server and the load run, so that neither takes the other's time; undefined leaves it to the kernel. */
export interface Placement {
  server: number | undefined;
  client: number | undefined;
}

/** One CPU for each side where `taskset` and at least two CPUs are there. */
export function choosePlacement(): Placement {
  const [server, client] = Bun.which("taskset") === null ? [] : allowedCpus();
  return client === undefined ? { server: undefined, client: undefined } : { server, client };
}

/** The command kept on one CPU. */
export function pinned(command: readonly string[], cpu: number | undefined): string[] {
  return cpu === undefined ? [...command] : ["taskset", "--cpu-list", String(cpu), ...command];
}

/** The CPUs this process may use; none where the kernel does not say so. */
function allowedCpus(): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
    return list.split(",").flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
    });
  } catch {
    return [];
  }
}
