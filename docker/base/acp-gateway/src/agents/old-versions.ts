import { lstatSync, readFileSync, readlinkSync, realpathSync, renameSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "./json-shape.ts";
import { allProcesses } from "./proc.ts";

/** What is being installed, and what is being removed: no version is called so, thus nobody finds a program there. */
export const NEW = ".new-";
const OLD = ".old-";

type OldVersionsDeps = {
  /** `<agentsFolder>/<id>/<version>`. */
  agentsFolder: string;
  log: (message: string, fields?: Record<string, unknown>) => void;
};

/** Removes what no longer serves of an agent's folder; nothing in it that is not the gateway's own. */
export function createOldVersions({ agentsFolder, log }: OldVersionsDeps) {
  /** Takes a folder away at once and removes it then: one that is half removed is nobody's version. */
  async function discard(id: string, name: string): Promise<void> {
    const away = join(agentsFolder, id, `${OLD}${crypto.randomUUID()}`);
    renameSync(join(agentsFolder, id, name), away);
    await rm(away, { recursive: true, force: true });
  }

  async function namesOf(id: string): Promise<string[]> {
    return readdir(join(agentsFolder, id)).catch(() => []);
  }

  return {
    discard,

    /** Removes what an installation or a removal that was killed has left. */
    async removeRemains(id: string): Promise<void> {
      for (const name of await namesOf(id)) {
        if (!name.startsWith(NEW) && !name.startsWith(OLD)) continue;
        await rm(join(agentsFolder, id, name), { recursive: true, force: true });
      }
    },

    /** Removes all versions but this one and those that processes use. */
    async removeOthers(id: string, kept: string): Promise<void> {
      const home = join(agentsFolder, id);
      const removed: string[] = [];
      const used: string[] = [];
      for (const name of await namesOf(id)) {
        if (name === kept || !isVersion(home, name)) continue;
        if (isUsed(join(home, name))) used.push(name);
        else {
          await discard(id, name);
          removed.push(name);
        }
      }
      if (removed.length > 0) log("removed old versions of an agent", { agent: id, versions: removed });
      if (used.length > 0)
        log("old versions of an agent are in use and stay till later", { agent: id, versions: used });
    },
  };
}

/** The gateway made it: the manifest it wrote is there, and npm put this version into it. */
function isVersion(home: string, name: string): boolean {
  if (!/^\d/.test(name)) return false;
  try {
    if (!lstatSync(join(home, name)).isDirectory()) return false;
    const manifest: unknown = JSON.parse(readFileSync(join(home, name, "package.json"), "utf8"));
    if (!isObject(manifest) || manifest["name"] !== "agent" || manifest["private"] !== true) return false;
    return isObject(manifest["dependencies"]) && Object.values(manifest["dependencies"]).includes(name);
  } catch {
    return false;
  }
}

/**
 * Some process runs a program of the folder, works in it, or was given a path into it: an agent has one in
 * its PATH, which its children inherit. Where processes cannot be seen every folder counts as used.
 */
function isUsed(folder: string): boolean {
  try {
    const paths = new Set([folder, realpathSync(folder)]);
    return allProcesses().some(({ pid }) => {
      const told = tellingOf(pid);
      return [...paths].some((path) => told.some((text) => text.includes(`${path}/`)));
    });
  } catch {
    return true;
  }
}

function tellingOf(pid: number): string[] {
  const links = ["exe", "cwd"].map((name) => `${attempt(() => readlinkSync(`/proc/${pid}/${name}`))}/`);
  const texts = ["cmdline", "environ"].map((name) => attempt(() => readFileSync(`/proc/${pid}/${name}`, "utf8")));
  return [...links, ...texts];
}

/** Another user's process does not tell everything, and one that has ended nothing. */
function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
