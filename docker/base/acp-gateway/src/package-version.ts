import { dirname, join } from "node:path";

const FOLDERS_UP_MAX = 4;

/**
 * The version in the package.json that a program's file belongs to, for programs without a
 * version flag. `program` is a real path; null when there is no such manifest near it.
 */
export async function packageVersion(program: string): Promise<string | null> {
  let folder = dirname(program);
  for (let up = 0; up < FOLDERS_UP_MAX; up++) {
    const manifest: unknown = await Bun.file(join(folder, "package.json"))
      .json()
      .catch(() => null);
    if (hasVersion(manifest)) return manifest.version;
    folder = dirname(folder);
  }
  return null;
}

/** Only a manifest with programs of its own can be the one that brought this one. */
function hasVersion(manifest: unknown): manifest is { version: string } {
  return (
    typeof manifest === "object" &&
    manifest !== null &&
    "bin" in manifest &&
    "version" in manifest &&
    typeof manifest.version === "string"
  );
}
