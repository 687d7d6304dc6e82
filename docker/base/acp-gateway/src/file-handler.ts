import { lstatSync } from "node:fs";
import { type Conditions, requireConditions } from "./files/conditions.ts";
import { createConfinement, type Folder, type Place } from "./files/confinement.ts";
import { entryOf, settled } from "./files/entry.ts";
import { telling } from "./files/failure.ts";
import { type Libc, openLibc } from "./files/libc.ts";
import { listFolder } from "./files/list-folder.ts";
import { moveEntry } from "./files/move-entry.ts";
import { openFile, type OpenFile } from "./files/open-file.ts";
import { type Segments, segmentsBelow } from "./files/path.ts";
import { removeEntry } from "./files/remove-entry.ts";
import { type Content, replaceFile } from "./files/replace-file.ts";
import { createTextFiles } from "./files/text-files.ts";
import { writablePlace } from "./files/writable-place.ts";
import { GatewayError } from "./gateway-error.ts";
import type { FileChange, FolderPage } from "./wire/index.ts";

type FileHandlerDeps = {
  /** Absolute paths of the folders that everything must stay in; the first is the workspace. */
  roots: readonly string[];
  /** Absolute paths of folders that are served to nobody. */
  protectedFolders: readonly string[];
  limits: { fileBytes: number };
  /** For systems without openat2; absent: what this system has. */
  libc?: Libc | null;
};

/** What was made or changed, and whether it is new. */
export type Changed = FileChange & { created: boolean };

/** How many files are received at a time. */
const UPLOADS_MAX = 16;

export type FileHandler = ReturnType<typeof createFileHandler>;

/**
 * Files and folders below the roots. `base` is an absolute folder in one of them, `names` a path in
 * it that stays in it. Nothing is opened before the first call. All throw GatewayError.
 */
export function createFileHandler({ roots, protectedFolders, limits, libc: given }: FileHandlerDeps) {
  let opened: ReturnType<typeof open> | undefined;
  let uploads = 0;
  const parts = () => (opened ??= open());

  function open() {
    const libc = given === undefined ? openLibc() : given;
    const confinement = createConfinement({ roots, protectedFolders, libc });
    return { libc, confinement, texts: createTextFiles({ confinement, libc, bytesMax: limits.fileBytes }) };
  }

  function prepareParents(base: string, names: Segments, wanted: boolean): void {
    if (wanted) parts().confinement.makeFolders(base, names.slice(0, -1));
  }

  type TextFiles = ReturnType<typeof createTextFiles>;
  const readTextFile: TextFiles["readTextFile"] = (...args) => parts().texts.readTextFile(...args);
  const writeTextFile: TextFiles["writeTextFile"] = (...args) => parts().texts.writeTextFile(...args);

  return {
    /** What a file that is written may have. */
    bytesMax: limits.fileBytes,
    readTextFile,
    writeTextFile,

    /** An open folder, by an absolute path or one relative to the workspace. The caller disposes of it. */
    openFolder(path: string): Folder {
      const [workspace = "/"] = roots;
      const names = segmentsBelow(workspace, path);
      return names ? parts().confinement.openFolder(workspace, names) : parts().confinement.openFolder(path, []);
    },

    /** A file that is open for reading, or "folder". The caller closes it. */
    open: (base: string, names: Segments): Promise<OpenFile | "folder"> =>
      telling(names.join("/"), async () => openFile(parts().confinement, base, names)),

    list: (base: string, names: Segments, page: { cursor?: string | undefined; limit: number }): Promise<FolderPage> =>
      telling(names.join("/"), () => listFolder(parts().confinement, base, names, page)),

    write: (base: string, names: Segments, content: Content, options: { parents: boolean; conditions: Conditions }) =>
      telling(names.join("/"), async (): Promise<Changed> => {
        if (uploads >= UPLOADS_MAX) {
          throw new GatewayError("too_many_requests", `${UPLOADS_MAX} files are being written; try again in a second`, {
            retryAfterSeconds: 1,
          });
        }
        uploads += 1;
        try {
          prepareParents(base, names, options.parents);
          using place = writablePlace(parts().confinement, base, names);
          const { libc } = parts();
          const { conditions } = options;
          const written = await replaceFile(place, content, { maxBytes: limits.fileBytes, conditions, libc });
          try {
            const { stat, etag } = await written.state();
            return { path: names.join("/"), entry: entryOf(names.at(-1) ?? "", stat, etag), created: written.created };
          } finally {
            written.done();
          }
        } finally {
          uploads -= 1;
        }
      }),

    makeFolder: (base: string, names: Segments, options: { parents: boolean; conditions: Conditions }) =>
      telling(names.join("/"), async (): Promise<Changed> => {
        prepareParents(base, names, options.parents);
        using place = parts().confinement.place(base, names);
        requireConditions(options.conditions, look(place, false));
        const created = parts().confinement.makeFolder(place);
        return await describe(place, created);
      }),

    move: (base: string, from: Segments, to: Segments, options: MoveWish) =>
      telling(from.join("/"), async (): Promise<Changed> => {
        const { confinement, libc } = parts();
        using source = confinement.place(base, from);
        confinement.refuseAboveHidden(source);
        prepareParents(base, to, options.parents);
        using target = confinement.place(base, to);
        confinement.refuseAboveHidden(target);
        const created = await moveEntry(source, target, { ...options, libc });
        return await describe(target, created);
      }),

    remove: (base: string, names: Segments, options: { recursive: boolean; conditions: Conditions }): Promise<void> =>
      telling(names.join("/"), async () => {
        const { confinement } = parts();
        using place = confinement.place(base, names);
        confinement.refuseAboveHidden(place);
        await removeEntry(place, options.recursive, options.conditions);
      }),

    close: (): void => opened?.confinement.close(),
  };
}

type MoveWish = { parents: boolean; overwrite: boolean; conditions: Conditions };

function look({ folder, name }: Place, mustExist: boolean) {
  return lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: mustExist });
}

async function describe(place: Place, created: boolean): Promise<Changed> {
  const path = place.folder.at(place.name);
  const { stat, etag } = await settled(() => lstatSync(path, { bigint: true }));
  return { path: place.path, entry: entryOf(place.name, stat, etag), created };
}
