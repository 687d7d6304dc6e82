import { RuntimeError } from "../runtime.ts";
import { shareRuns, type ProcessEntry, type ProcessTable } from "./process-table.ts";

/** macOS and others without /proc: what `ps` prints. Environments stay hidden. */
export function createPsTable(): ProcessTable {
  return {
    async identify(pid) {
      const line = (await ps(["-o", "stat=,lstart=", "-p", String(pid)])).trim();
      const [state = "", ...start] = line.split(/\s+/);
      return state === "" || state.startsWith("Z") ? null : start.join(" ");
    },

    scan: shareRuns(async () => {
      const text = await ps(["-ww", "-axo", "pid=,pgid=,stat=,args="]);
      return text.split("\n").flatMap((line): ProcessEntry[] => {
        const [, pid, groupId, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
        if (command === undefined || state === undefined || state.startsWith("Z")) return [];
        return [{ pid: Number(pid), groupId: Number(groupId), command, home: null }];
      });
    }),
  };
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
