import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { GatewayError } from "../gateway-error.ts";

type FolderDeps = { workspace: string; roots: readonly string[]; dataFolder: string };
export type Folders = ReturnType<typeof createFolders>;

/** Decides in which folders sessions may work: existing ones whose real path is under a root. */
export function createFolders({ workspace, roots, dataFolder }: FolderDeps) {
  const realRoots = () => Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))));

  /** The real path. @throws GatewayError path_not_allowed, invalid_request */
  async function allow(path: string, parameter: string): Promise<string> {
    if (path.includes("\0")) throw refuse(parameter, "a path holds no NUL character");
    const wanted = isAbsolute(path) ? resolve(path) : resolve(workspace, path);
    const under = await realRoots();
    const real = await realpath(wanted).catch(() => null);
    const outside = ![...under, ...(real === null ? roots.map((root) => resolve(root)) : [])].some((root) =>
      contains(root, real ?? wanted),
    );
    // What lies outside is not told apart from what is absent.
    if (outside) {
      throw new GatewayError("path_not_allowed", `${parameter} must be a folder under ${roots.join(" or ")}`);
    }
    if (real === null) throw refuse(parameter, "the folder does not exist; create it first");
    if (!(await stat(real)).isDirectory()) throw refuse(parameter, "that is no folder");
    const own = await realpath(dataFolder).catch(() => resolve(dataFolder));
    if (contains(own, real))
      throw new GatewayError("path_not_allowed", `${parameter} is a folder of the gateway itself`);
    return real;
  }

  return { allow };
}

function refuse(parameter: string, message: string): GatewayError {
  return new GatewayError("invalid_request", `${parameter}: ${message}`, {
    errors: [{ path: `/${parameter}`, code: "folder", message }],
  });
}

/** `path` is `folder` or below it; both absolute. */
function contains(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === "" || (rest !== ".." && !rest.startsWith("../") && !isAbsolute(rest));
}
