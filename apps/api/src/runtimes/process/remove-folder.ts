import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../runtime.ts";

const TRIES_MAX = 5;
const RETRY_MS = 50;

/** Removes a folder with all in it; links are removed, never followed. One that is not there is fine. */
export async function removeFolder(path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await rm(path, { recursive: true, force: true });
      return;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      if (code === "ENOENT") return;
      if (tries >= TRIES_MAX) {
        throw new RuntimeError("unavailable", `the project's folder could not be removed (${code})`, { cause: error });
      }
      // Tools such as Go's module cache make folders read-only.
      if (code === "EACCES" || code === "EPERM") await makeFoldersWritable(path);
      // Something was written while it was removed.
      else await sleep(RETRY_MS * tries);
    }
  }
}

async function makeFoldersWritable(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isDirectory()) return;
  await chmod(path, 0o700).catch(() => undefined);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeFoldersWritable(join(path, entry.name));
  }
}
