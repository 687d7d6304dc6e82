import { RuntimeError } from "../runtime.ts";
import { shareRuns, type ProcessEntry, type ProcessTable } from "./process-table.ts";

/** macOS and others without /proc: what `ps` prints. Environments stay hidden. */
export function createPsTable(): ProcessTable {
  async function identify(pid: number): Promise<string | null> {
    const line = (await ps(["-o", "stat=,lstart=", "-p", String(pid)])).trim();
    const [state = "", ...start] = line.split(/\s+/);
    return state === "" || state.startsWith("Z") ? null : start.join(" ");
  }

  return {
    identify,

    async startOf(identity) {
      const first = timeOf((await identify(1)) ?? "");
      const start = timeOf(identity);
      return start >= first ? start : null;
    },

    scan: shareRuns(async () => {
      const text = await ps(["-ww", "-axo", "pid=,pgid=,stat=,lstart=,args="]);
      return text.split("\n").flatMap((line): ProcessEntry[] => {
        const [, pid, groupId, state, start, command] =
          /^\s*(\d+)\s+(\d+)\s+(\S+)\s+((?:\S+\s+){4}\S+)\s+(.*)$/.exec(line) ?? [];
        if (command === undefined || start === undefined || state === undefined || state.startsWith("Z")) return [];
        return [{ pid: Number(pid), groupId: Number(groupId), command, home: null, startedAt: timeOf(start) }];
      });
    }),
  };
}

/** Milliseconds since 1970, of a date as `ps` prints it: `Mon Nov 23 14:45:35 2026`; NaN for anything else. */
function timeOf(start: string): number {
  return Date.parse(`${start.replaceAll(/\s+/g, " ")} UTC`);
}

/** Status 1 without output means that nothing matched. */
async function ps(args: string[]): Promise<string> {
  // Dates in English whatever the user's language is: they are compared as text.
  const child = Bun.spawn(["/bin/ps", ...args], { env: { LC_ALL: "C", TZ: "UTC" }, stdin: "ignore", stderr: "ignore" });
  const text = await new Response(child.stdout).text();
  const status = await child.exited;
  if (status > 1) throw new RuntimeError("unavailable", `ps ended with status ${status}`);
  return text;
}
