import { projectsRoot } from "./project-folder.ts";
import type { ProcessEntry, ProcessTable } from "./process-table.ts";

type Kind = "gateway" | "clone";

/** A process that belongs to a project. */
export interface FoundProcess extends ProcessEntry {
  projectId: string;
  /** What the runtime started it as; null for what others started below it. */
  kind: Kind | null;
}

export interface ProcessFinderOptions {
  table: ProcessTable;
  dataDir: string;
  instanceId: string;
}

export type ProcessFinder = ReturnType<typeof createProcessFinder>;

/**
 * Finds a project's processes by what they carry, whoever their parent is by now: the arguments the
 * runtime gave them, or a HOME inside this data folder. So even one started right before a crash,
 * of which nothing could be written down, is found.
 */
export function createProcessFinder({ table, dataDir, instanceId }: ProcessFinderOptions) {
  const homes = `${projectsRoot(dataDir)}/`;

  function recognize(entry: ProcessEntry): FoundProcess[] {
    if (entry.pid === process.pid) return [];
    const marks = readMarks(entry.command);
    if (marks?.instanceId === instanceId) return [{ ...entry, projectId: marks.projectId, kind: marks.kind }];
    if (!entry.home?.startsWith(homes)) return [];
    const [projectId = "", rest] = entry.home.slice(homes.length).split("/");
    return rest === "home" ? [{ ...entry, projectId, kind: null }] : [];
  }

  /**
   * Members of a group that carry no mark. Its number belongs to somebody else once another leads it,
   * or pids have begun anew; and whoever started before the leader was never of its group.
   */
  async function leftOf(
    { pid: groupId, identity }: { pid: number; identity: string },
    entries: readonly ProcessEntry[],
    known: ReadonlySet<number>,
  ): Promise<ProcessEntry[]> {
    const members = entries.filter((entry) => entry.groupId === groupId && !known.has(entry.pid));
    if (members.length === 0 || members.some(({ pid }) => pid === groupId)) return [];
    const since = await table.startOf(identity);
    return since === null ? [] : members.filter(({ startedAt }) => startedAt >= since);
  }

  return {
    all: async (): Promise<FoundProcess[]> => (await table.scan()).flatMap(recognize),

    /** The project's processes, and with `leader` also what is left of the group that one led. */
    async of(projectId: string, leader?: { pid: number; identity: string }): Promise<FoundProcess[]> {
      const entries = await table.scan();
      const found = entries.flatMap(recognize).filter((entry) => entry.projectId === projectId);
      const pids = new Set(found.map(({ pid }) => pid));
      const others = leader ? await leftOf(leader, entries, pids) : [];
      return [...found, ...others.map((entry) => ({ ...entry, projectId, kind: null }))];
    },
  };
}

/** Arguments that no program minds and that say whose the gateway is. */
export function gatewayMarks(instanceId: string, projectId: string): string[] {
  return [`--agentpod-instance=${instanceId}`, `--agentpod-project=${projectId}`];
}

/** The same for git, which takes any setting. */
export function cloneMarks(instanceId: string, projectId: string): string[] {
  return ["-c", `agentpod.instance=${instanceId}`, "-c", `agentpod.project=${projectId}`];
}

function readMarks(command: string): { instanceId: string; projectId: string; kind: Kind } | null {
  const gateway = /(?:^| )--agentpod-instance=(\S+) --agentpod-project=(\S+)(?: |$)/.exec(command);
  const clone = /(?:^| )-c agentpod\.instance=(\S+) -c agentpod\.project=(\S+)(?: |$)/.exec(command);
  const [, instanceId, projectId] = gateway ?? clone ?? [];
  if (instanceId === undefined || projectId === undefined) return null;
  return { instanceId, projectId, kind: gateway ? "gateway" : "clone" };
}
