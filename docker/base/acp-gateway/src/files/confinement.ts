import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GatewayError } from "../gateway-error.ts";
import { anchorOf, anchorsWork, FIND, FIND_FOLDER, placeOf } from "./anchor.ts";
import { codeOf, fileError, shown } from "./failure.ts";
import type { Libc } from "./libc.ts";
import { openBelow } from "./open-below.ts";
import { type Segments, segmentsBelow } from "./path.ts";

const NEW_FOLDER_MODE = 0o777;

/** Something open. `path` is where it is, or was when it was opened where the system does not tell. */
export type Opened = { readonly fd: number; readonly path: string; [Symbol.dispose](): void };

/** An open folder. */
export type Folder = Opened & {
  /** A path that means the entry of this very folder, to be used with calls that follow no link. */
  at(name: string): string;
};

/** One entry of an open folder, which may not exist. */
export type Place = {
  folder: Folder;
  name: string;
  /** As the caller gave it. */ path: string;
  [Symbol.dispose](): void;
};

type ConfinementDeps = {
  /** Absolute paths of the folders that everything must stay in. */
  roots: readonly string[];
  /** Absolute paths of folders inside that are served to nobody. */
  protectedFolders: readonly string[];
  /** Null: each name is opened by itself, and no link is followed. */
  libc: Libc | null;
};

export type Confinement = ReturnType<typeof createConfinement>;

/**
 * Opens things below the roots and nowhere else. What it hands out is bound to inodes, not names, so
 * that whatever is renamed or replaced by a link meanwhile leads nobody out.
 */
export function createConfinement({ roots, protectedFolders, libc }: ConfinementDeps) {
  // A root may be named by a path through links; what is opened is where that led at the start.
  const known = roots.flatMap((root) =>
    [...new Set([realOf(root), root])].map((name) => ({ name, root: realOf(root) })),
  );
  const byDepth = known.toSorted((a, b) => b.name.length - a.name.length);
  const hidden = protectedFolders.map((path) => realOf(path).toLowerCase());
  const kept = new Map<string, number>();

  function openRoot(root: string): number {
    const before = kept.get(root);
    if (before !== undefined && fstatSync(before).nlink > 0) return before;
    const fd = openSync(root, FIND_FOLDER | constants.O_NOFOLLOW);
    if (!anchorsWork(fd)) {
      closeSync(fd);
      throw new GatewayError("not_supported", "files cannot be served safely here: /proc is not mounted");
    }
    if (before !== undefined) closeSync(before);
    kept.set(root, fd);
    return fd;
  }

  /** The open root above an absolute path, and the names from there on. */
  function above(base: string): { root: string; names: Segments } {
    for (const { name, root } of byDepth) {
      const names = segmentsBelow(name, base);
      if (names) return { root, names };
    }
    throw new GatewayError("path_not_allowed", `${shown(base)} lies in none of the allowed folders`);
  }

  function find(base: string, names: Segments, flags: number): Opened {
    const { root, names: first } = above(base);
    const start = openRoot(root);
    const lexical = join(root, ...first, ...names);
    if (isHidden(lexical)) throw hiddenError();
    if (first.length === 0) return opened(openBelow(libc, start, names, flags), lexical);
    const middle = openBelow(libc, start, first, FIND_FOLDER);
    try {
      return opened(openBelow(libc, middle, names, flags), lexical);
    } finally {
      closeSync(middle);
    }
  }

  function opened(fd: number, lexical: string): Opened {
    const found = { fd, path: placeOf(fd) ?? lexical, [Symbol.dispose]: () => closeSync(fd) };
    if (isHidden(found.path)) {
      closeSync(fd);
      throw hiddenError();
    }
    return found;
  }

  function isHidden(path: string): boolean {
    const lower = path.toLowerCase();
    return hidden.some((folder) => lower === folder || lower.startsWith(`${folder}/`));
  }

  function openFolder(base: string, names: Segments): Folder {
    return asking(names, () => {
      const found = find(base, names, FIND_FOLDER);
      const anchor = anchorOf(found.fd);
      return { ...found, at: (name: string) => `${anchor}/${name}` };
    });
  }

  function placeOfNames(base: string, names: Segments): Place {
    const name = names.at(-1);
    if (name === undefined) throw new GatewayError("path_not_allowed", "the folder itself cannot be changed");
    const folder = openFolder(base, names.slice(0, -1));
    if (isHidden(`${folder.path}/${name}`)) {
      folder[Symbol.dispose]();
      throw hiddenError();
    }
    return { folder, name, path: names.join("/"), [Symbol.dispose]: () => folder[Symbol.dispose]() };
  }

  return {
    openFolder,
    isHidden,

    /** The root that an absolute path lies in. @throws GatewayError path_not_allowed */
    rootOf: (path: string): string => above(path).root,

    /** Finds a file or folder, through links inside; it is not opened for reading. */
    openEntry: (base: string, names: Segments): Opened => asking(names, () => find(base, names, FIND)),

    /** The folder of the last name, and that name, which is not looked at. */
    place: placeOfNames,

    makeFolder,

    /** Makes the folders that are missing on the way, and the last one too. */
    makeFolders(base: string, names: Segments): void {
      for (let depth = 1; depth <= names.length; depth += 1) {
        using place = placeOfNames(base, names.slice(0, depth));
        makeFolder(place);
      }
    },

    /** @throws GatewayError when a folder that is served to nobody lies in or below the place */
    refuseAboveHidden(place: Place): void {
      const path = `${place.folder.path}/${place.name}`.toLowerCase();
      if (hidden.some((folder) => folder.startsWith(`${path}/`))) throw hiddenError();
    },

    close(): void {
      for (const fd of kept.values()) closeSync(fd);
      kept.clear();
    },
  };
}

/** True when it was made, false when there was a folder, or a link, already. */
function makeFolder({ folder, name, path }: Place): boolean {
  try {
    mkdirSync(folder.at(name), NEW_FOLDER_MODE);
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw fileError(codeOf(error), path) ?? error;
  }
  const there = lstatSync(folder.at(name), { throwIfNoEntry: false });
  if (there?.isDirectory() || there?.isSymbolicLink()) return false;
  throw new GatewayError("file_conflict", `${shown(path)}: something that is no folder is in the way`);
}

function asking<T>(names: Segments, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(codeOf(error), names.join("/")) ?? error;
  }
}

function hiddenError(): GatewayError {
  return new GatewayError("path_not_allowed", "this folder is the gateway's own and served to nobody");
}

/** The real path of a folder that may not exist yet. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realOf(dirname(path)), basename(path));
  }
}
