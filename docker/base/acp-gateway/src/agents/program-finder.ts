import { realpathSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { AgentEntry } from "../types.ts";

/** An agent's program on this machine. */
export type FoundProgram = {
  path: string;
  /** Known without asking the program when the gateway installed it. */
  version: string | null;
  /** Folder of programs that come before PATH. */
  binFolder: string | null;
};

type ProgramFinderDeps = {
  /** Installed agents: `<agentsFolder>/<id>/<version>/node_modules`. */
  agentsFolder: string;
  /** PATH of the gateway. */
  path: string;
};

/** Finds programs: the installed one of the wanted version, then PATH, then any other installed one. */
export function createProgramFinder({ agentsFolder, path }: ProgramFinderDeps) {
  async function installedVersions(id: string): Promise<string[]> {
    const names = await readdir(join(agentsFolder, id)).catch(() => []);
    const times = names
      .filter((name) => /^\d/.test(name))
      .map((name) => ({ name, time: statSync(join(agentsFolder, id, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
    return times.toSorted((a, b) => b.time - a.time).map(({ name }) => name);
  }

  /** The agent's program in a folder that npm has installed into. */
  async function programIn(folder: string, entry: AgentEntry): Promise<Omit<FoundProgram, "version"> | null> {
    const root = join(folder, "node_modules");
    const binFolder = join(root, ".bin");
    const names = [basename(entry.command[0]), await onlyProgram(root, entry)];
    for (const name of names) {
      if (name === null) continue;
      const program = Bun.which(name, { PATH: binFolder });
      if (program) return { path: program, binFolder };
    }
    return null;
  }

  async function installed(entry: AgentEntry, version: string): Promise<FoundProgram | null> {
    const found = await programIn(join(agentsFolder, entry.id, version), entry);
    return found && { ...found, version };
  }

  return {
    installed,
    programIn,

    async find(entry: AgentEntry): Promise<FoundProgram | null> {
      const versions = await installedVersions(entry.id);
      const wanted = entry.install?.version;
      if (wanted !== undefined && versions.includes(wanted)) {
        const found = await installed(entry, wanted);
        if (found) return found;
      }
      const onPath = Bun.which(entry.command[0], { PATH: path });
      if (onPath) return { path: onPath, version: null, binFolder: null };
      for (const version of versions) {
        const found = await installed(entry, version);
        if (found) return found;
      }
      return null;
    },
  };
}

/** The program of a package whose registry entry does not name it, as npx would choose it. */
async function onlyProgram(root: string, { install }: AgentEntry): Promise<string | null> {
  if (!install) return null;
  const text = await readFile(join(root, install.package, "package.json"), "utf8").catch(() => "{}");
  const { bin } = JSON.parse(text) as { bin?: string | Record<string, string> };
  const unscoped = basename(install.package);
  if (typeof bin === "string") return unscoped;
  const names = Object.keys(bin ?? {});
  return names.includes(unscoped) ? unscoped : (names[0] ?? null);
}

/** Changes when the file behind a program does. */
export function fingerprint(path: string): { program: string; state: string } {
  const program = realpathSync(path);
  const { mtimeMs, size } = statSync(program);
  return { program, state: `${mtimeMs} ${size}` };
}
