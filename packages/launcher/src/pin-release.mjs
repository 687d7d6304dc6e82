// Writes bun-release.json for the version in package.json, with the hashes npm's registry gives.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { findNpm } from "./npm.mjs";
import { bunPackages } from "./platform.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const { packageManager } = JSON.parse(await readFile(`${root}package.json`, "utf8"));
const version = packageManager.replace("bun@", "");
const npm = await findNpm();
if (!npm) throw new Error("npm is needed to ask for the hashes");

const machines = ["x64", "arm64"].flatMap((arch) => [
  { platform: "linux", arch, musl: false },
  { platform: "linux", arch, musl: true },
  { platform: "darwin", arch, musl: false },
]);
/** @type {Record<string, string>} */
const integrity = {};
for (const name of machines.flatMap((machine) => bunPackages(machine, () => true))) {
  const { code, stdout, stderr } = await npm.run(["view", `${name}@${version}`, "dist.integrity", "--json"], root);
  if (code !== 0) throw new Error(stderr);
  integrity[name] = JSON.parse(stdout);
}
const file = new URL("./bun-release.json", import.meta.url);
await writeFile(file, `${JSON.stringify({ version, integrity }, null, 2)}\n`);
