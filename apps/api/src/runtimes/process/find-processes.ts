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

  return {
    all: async (): Promise<FoundProcess[]> => (await table.scan()).flatMap(recognize),

    /**
     * The project's processes, and with `groupId` also what is left of that group. A leader that
     * is not one of the project's means that the number belongs to somebody else by now.
     */
    async of(projectId: string, groupId?: number): Promise<FoundProcess[]> {
      const entries = await table.scan();
      const found = entries.flatMap(recognize).filter((entry) => entry.projectId === projectId);
      const pids = new Set(found.map(({ pid }) => pid));
      const leader = entries.find(({ pid }) => pid === groupId);
      if (groupId === undefined || (leader && !pids.has(leader.pid))) return found;
      const others = entries.filter((entry) => entry.groupId === groupId && !pids.has(entry.pid));
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
