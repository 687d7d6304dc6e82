import { join } from "node:path";

/**
 * Every test file of every workspace. They are named one by one to Bun, so that a file that
 * reports nothing is noticed.
 * @param filters parts of paths; a file is taken when it holds any of them, all when there are none
 * @returns paths relative to the root, sorted
 */
export async function findTestFiles(root: string, filters: readonly string[]): Promise<string[]> {
  const { workspaces } = (await Bun.file(join(root, "package.json")).json()) as { workspaces: string[] };
  const found = new Set<string>();
  for (const workspace of [...workspaces, "docker"]) {
    for await (const path of new Bun.Glob(`${workspace}/**/*.test.ts`).scan({ cwd: root })) {
      if (!path.split("/").includes("node_modules")) found.add(path);
    }
  }
  const wanted = (path: string) => filters.length === 0 || filters.some((filter) => path.includes(filter));
  return [...found].filter(wanted).toSorted();
}
