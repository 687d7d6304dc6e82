import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { run } from "./support/scripts.ts";

const docker = resolve(import.meta.dir, "..");
const dockerfiles = ["base", "flavors/*", "addons/*"].flatMap((part) => [
  ...new Bun.Glob(`${part}/Dockerfile`).scanSync({ cwd: docker }),
]);

/** What versions.env says on a machine that sets nothing. */
async function versions(): Promise<Map<string, string>> {
  const script = 'set -a; . "$1"; env -0';
  const { stdout } = await run(["env", "-i", "bash", "-c", script, "-", join(docker, "versions.env")]);
  const text = await Bun.file(join(docker, "versions.env")).text();
  const names = new Set([...text.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name = ""]) => name));
  const pairs = stdout
    .split("\0")
    .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  return new Map(pairs.filter(([name]) => names.has(name)));
}

// So that `docker build FOLDER` makes what the scripts make, from versions that stand in one place.
test.each(dockerfiles)("%s has the versions of versions.env as its defaults", async (file) => {
  const expected = await versions();
  const text = await Bun.file(join(docker, file)).text();
  const declared = [...text.matchAll(/^ARG (.+)$/gm)].flatMap(
    ([, line = ""]) => line.match(/[A-Z0-9_]+(="[^"]*"|=\S*)?/g) ?? [],
  );
  const values = new Map<string, string>();
  for (const declaration of declared) {
    const [name = "", ...rest] = declaration.split("=");
    const value = rest.join("=").replaceAll('"', "");
    // Declared again in a later stage it keeps its default.
    if (expected.has(name)) values.set(name, value || (values.get(name) ?? ""));
  }
  expect(Object.fromEntries(values)).toEqual(
    Object.fromEntries([...values.keys()].map((name) => [name, expected.get(name) ?? ""])),
  );
});
