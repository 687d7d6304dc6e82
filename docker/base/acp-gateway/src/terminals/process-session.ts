import { readdirSync, readFileSync } from "node:fs";

const HANGUP_MS = 1500;
const LOOK_AGAIN_MS = 50;
const ROUNDS_MAX = 40;

/**
 * Ends a program that leads a session of its own, and all that it started there: jobs of a shell are
 * process groups of their own, so the leader's group is not all. First they are told, then killed.
 */
export async function endSession(leader: number, exited: Promise<unknown>): Promise<void> {
  signalAll(leader, ["SIGHUP", "SIGCONT", "SIGTERM"]);
  await Promise.race([exited, Bun.sleep(HANGUP_MS)]);
  for (let round = 0; round < ROUNDS_MAX && signalAll(leader, ["SIGKILL"]); round += 1) {
    await Bun.sleep(LOOK_AGAIN_MS);
  }
}

/** The same at once, for when there is no time left. */
export function killSession(leader: number): void {
  signalAll(leader, ["SIGKILL"]);
}

/** False when there was nobody to be told. */
function signalAll(leader: number, signals: readonly NodeJS.Signals[]): boolean {
  const members = membersOf(leader);
  for (const signal of signals) {
    for (const pid of members) send(pid, signal);
  }
  return members.length > 0;
}

/** The processes of a session; where the system does not tell, the leader's process group. */
function membersOf(session: number): number[] {
  if (process.platform !== "linux") return send(-session, 0) ? [-session] : [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isMember(pid, session));
}

function isMember(pid: number, session: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // What stands before the last parenthesis is the program's name and may hold anything.
    const [state, , , sessionId] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return Number(sessionId) === session && state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
