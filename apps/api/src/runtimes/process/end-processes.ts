import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../runtime.ts";
import type { ProcessFinder } from "./find-processes.ts";
import type { ProcessTable } from "./process-table.ts";

const POLL_MS = 10;
/** How often the process table is read while a group's leader is gone and something of the group is left. */
const LOOK_MS = 250;
/** How long after SIGKILL something may still be there: a process inside a system call ends after it. */
const KILL_TIMEOUT_MS = 5_000;

export interface ProcessEnderDeps {
  table: ProcessTable;
  finder: ProcessFinder;
  /** From SIGTERM to SIGKILL. */
  stopTimeoutMs: number;
}

export type ProcessEnder = ReturnType<typeof createProcessEnder>;

/** Ends processes for good: politely first, then by force, and returns only when they are gone. */
export function createProcessEnder({ table, finder, stopTimeoutMs }: ProcessEnderDeps) {
  /** Whether any process of the group runs. Zombies that nobody waits for keep a group's number, so the table has the last word. */
  async function groupEnded(leader: { pid: number }, deadline: number): Promise<boolean> {
    let lookAt = performance.now() + LOOK_MS;
    while (groupExists(leader.pid)) {
      const now = performance.now();
      if (now >= lookAt) {
        lookAt = now + LOOK_MS;
        if ((await membersOf(leader.pid)) === 0) return true;
      }
      if (now >= deadline) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  async function membersOf(groupId: number): Promise<number> {
    return (await table.scan()).filter((entry) => entry.groupId === groupId).length;
  }

  /** Ends a process and its whole group, if it is still the one that `identity` names. */
  async function endGroup(leader: { pid: number; identity: string }): Promise<void> {
    if ((await table.identify(leader.pid)) !== leader.identity) return;
    signalGroup(leader.pid, "SIGTERM");
    if (await groupEnded(leader, performance.now() + stopTimeoutMs)) return;
    signalGroup(leader.pid, "SIGKILL");
    if (await groupEnded(leader, performance.now() + KILL_TIMEOUT_MS)) return;
    throw stillThere();
  }

  /** The same for a leader just found. */
  async function endFound({ pid }: { pid: number }): Promise<void> {
    const identity = await table.identify(pid);
    if (identity !== null) await endGroup({ pid, identity });
  }

  /** Ends everything of a project that can be found, also what left the gateway's group. */
  async function endProject(projectId: string, leader?: { pid: number; identity: string }): Promise<void> {
    if (leader) await endGroup(leader);
    const politeUntil = performance.now() + stopTimeoutMs;
    const asked = new Set<number>();
    let lookMs = POLL_MS;
    for (;;) {
      const left = await finder.of(projectId, leader);
      if (left.length === 0) return;
      const now = performance.now();
      if (now >= politeUntil + KILL_TIMEOUT_MS) throw stillThere();
      for (const { pid } of left) {
        if (now >= politeUntil) signal(pid, "SIGKILL");
        else if (!asked.has(pid)) signal(pid, "SIGTERM");
        asked.add(pid);
      }
      await sleep(lookMs);
      lookMs = Math.min(lookMs * 2, LOOK_MS);
    }
  }

  return { endGroup, endFound, endProject };
}

function stillThere(): RuntimeError {
  return new RuntimeError("timeout", "a process of the sandbox did not end although it was killed");
}

function groupExists(groupId: number): boolean {
  return signal(-groupId, 0);
}

function signalGroup(groupId: number, name: NodeJS.Signals): void {
  signal(-groupId, name);
}

/** Whether there was somebody to signal. */
function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, name);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ESRCH") return false;
    // macOS refuses to signal a group of which only zombies are left.
    if (code === "EPERM") return process.platform !== "darwin";
    throw error;
  }
}
