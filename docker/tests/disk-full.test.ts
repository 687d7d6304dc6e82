import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { describeUnless, engineMissing } from "../../apps/api/tests/support/engine.ts";
import { registryMissing, startRegistry } from "../../apps/api/tests/support/registry.ts";
import { run } from "./support/scripts.ts";
import { makeSmallTree, type SmallTree } from "./support/small-tree.ts";

// A disk of its own that only the command sees, and that is gone with it.
const ON_SMALL_DISK = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && cd "$2" && shift 2 && "$@"';
const onSmallDisk = (size: string, folder: string) => [
  "unshare",
  "--mount",
  "sh",
  "-c",
  ON_SMALL_DISK,
  "-",
  size,
  folder,
];
const mounts = await run([...onSmallDisk("64k", mkdtempSync(join(tmpdir(), "agentpod-disk-"))), "true"]);
const missing = mounts.exitCode === 0 ? undefined : "only root can mount a small disk";

describeUnless(engineMissing ?? registryMissing ?? missing, "on a disk that is full", () => {
  setDefaultTimeout(180_000);
  let tree: SmallTree;
  let folder: string;
  beforeAll(async () => {
    tree = makeSmallTree();
    folder = mkdtempSync(join(tmpdir(), "agentpod-full-"));
    expect((await tree.run("build-base.sh", [])).exitCode).toBe(0);
  });
  afterAll(async () => {
    await tree.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a script of the tree where `$PWD` is a full disk, then lists what is on that. */
  async function onFullDisk(script: string, args: readonly string[], environment: Record<string, string>) {
    const place = mkdtempSync(join(folder, "disk-"));
    const command =
      'head -c 70000 /dev/zero > filler 2> /dev/null; "$@"; code=$?; echo "on the disk: $(ls -A)"; exit "$code"';
    const values = Object.entries(environment).map(([name, value]) => [name, value.replace("$PWD", place)]);
    const path = join(tree.root, "scripts", script);
    return await run([...onSmallDisk("64k", place), "sh", "-c", command, "-", path, ...args], "", {
      ...tree.environment,
      ...Object.fromEntries(values),
    });
  }

  test("a registry's refusal is told, and it has nothing by the image's name", async () => {
    const registry = await startRegistry(undefined, 1_000_000);
    const ref = tree.ref("agentpod-base").replace("localhost", registry.host);
    await run(["docker", "tag", tree.ref("agentpod-base"), ref]);
    const outcome = await tree.run("push.sh", ["base"], { REGISTRY_URL: registry.host, DOCKER_CONFIG: folder });
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toEndWith(
      `push.sh: ${registry.host} has an error of its own (500 Internal Server Error); its log says which, such as a full disk\n`,
    );
    const owner = tree.environment["REGISTRY_OWNER"] ?? "";
    expect((await fetch(`http://${registry.host}/v2/${owner}/agentpod-base/manifests/7`)).status).toBe(404);
    await registry.close();
  });

  test("a login is not kept, which is said", async () => {
    const login = { username: "builder", password: "of this test alone" };
    const registry = await startRegistry(login);
    const outcome = await onFullDisk("login.sh", [], {
      REGISTRY_URL: registry.host,
      REGISTRY_USER: login.username,
      REGISTRY_PASSWORD: login.password,
      DOCKER_CONFIG: "$PWD",
    });
    expect(outcome).toMatchObject({ exitCode: 1, stderr: `login.sh: a disk is full, here or at ${registry.host}\n` });
    await registry.close();
  });

  test("no half of a manifest is written", async () => {
    const outcome = await onFullDisk("manifest.sh", [], { MANIFEST_FILE: "$PWD/manifest.json" });
    expect([outcome.exitCode, outcome.stderr]).toEqual([
      1,
      expect.stringContaining("manifest.sh: ENOSPC: no space left"),
    ]);
    expect(outcome.stdout).toEndWith("on the disk: filler\n");
  });

  test("a test of an image fails, says why, and removes what it made", async () => {
    const args = [tree.ref("agentpod-base"), "--only", "files"];
    tree.write("base/checks.sh", "");
    const outcome = await onFullDisk("test-container.sh", args, { TMPDIR: "$PWD" });
    expect([outcome.exitCode, outcome.stdout]).toEqual([
      1,
      expect.stringMatching(
        /FAILED {2}no layer holds a private key[^\n]*\n(?: {8}[^\n]*\n)* {8}the disk of \S+ is full\n/,
      ),
    ]);
    expect(outcome.stdout).toEndWith("on the disk: filler\n");
  });

  test("no Debian image is made, and the one that is here stays", async () => {
    const inspect = ["docker", "image", "inspect", "--format", "{{.Id}}", "debian:trixie-slim"];
    const before = await run(inspect);
    const outcome = await onFullDisk("debian-image.sh", ["--force"], { TMPDIR: "$PWD", DEBIAN_SUITE: "trixie" });
    expect([outcome.exitCode, outcome.stdout, outcome.stderr]).toEqual([
      1,
      "on the disk: filler\n",
      expect.stringMatching(/debian-image.sh: the disk of \S+ is full; debootstrap needs 500 MB there\n$/),
    ]);
    expect(await run(inspect)).toEqual(before);
  });
});
