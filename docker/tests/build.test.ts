import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ImageManifest } from "@agentpod/types";
import { describeUnless, engineMissing } from "../../apps/api/tests/support/engine.ts";
import { until } from "../../apps/api/tests/support/wait.ts";
import { run } from "./support/scripts.ts";
import { makeSmallTree, type SmallTree } from "./support/small-tree.ts";

const minutes = 60_000;
const inBase = ["agentpod-base", "agentpod-base-extra", "agentpod-base-more"];
const inOne = ["agentpod-one", "agentpod-one-extra", "agentpod-one-more"];
const inTwo = ["agentpod-two", "agentpod-two-extra", "agentpod-two-more"];

describeUnless(engineMissing, "the scripts build a tree of images", () => {
  setDefaultTimeout(3 * minutes);
  let tree: SmallTree;
  beforeAll(() => {
    tree = makeSmallTree();
  });
  afterAll(async () => await tree.remove());

  const idOf = async (name: string) =>
    (await run(["docker", "image", "inspect", "--format", "{{.Id}}", tree.ref(name)])).stdout.trim();
  const inside = async (ref: string, command: string) =>
    (await run(["docker", "run", "--rm", "--network=none", "--entrypoint=sh", ref, "-c", command])).stdout.trim();
  const manifest = () => ImageManifest.parse(JSON.parse(readFileSync(join(tree.root, "manifest.json"), "utf8")));

  test("all of it, in order, in one command, which the second time changes nothing", async () => {
    const first = await tree.run("build.sh", ["all"]);
    expect([first.exitCode, first.stderr.includes("ERROR")]).toEqual([0, false]);
    const names = [...inBase, ...inOne, ...inTwo];
    expect(await tree.images()).toEqual(names.map(tree.ref).toSorted());
    const built = first.stdout.trim().split("\n");
    expect([built[0], built.slice(1, 3).toSorted(), built.length]).toEqual([
      tree.ref("agentpod-base"),
      [tree.ref("agentpod-one"), tree.ref("agentpod-two")],
      names.length,
    ]);
    const ids = await Promise.all(names.map(idOf));
    const second = await tree.run("build.sh", ["all"]);
    expect([second.exitCode, second.stdout]).toEqual([0, first.stdout]);
    expect(await Promise.all(names.map(idOf))).toEqual(ids);
    expect(await inside(tree.ref("agentpod-two-extra"), "cat /greeting /flavor && extra")).toBe(
      "hello there\ntwo\nextra 4.5.6",
    );
  });

  test("and the manifest tells what each weighs, adds and holds", async () => {
    const { version, images } = manifest();
    expect([version, images.length]).toEqual(["7", 9]);
    const more = images.find(({ id }) => id === "agentpod-one-more");
    expect(more).toMatchObject({ parent: "agentpod-one", flavor: "one", addons: ["more"], addedMb: 3, budgetMb: null });
    expect(more?.digest).toBe(await idOf("agentpod-one-more"));
    // Random bytes do not compress, so the layer travels as it is.
    expect(more?.addedCompressedMb).toBe(3);
    expect(Object.keys(more?.tools ?? {}).toSorted()).toEqual(["bash", "none"]);
    expect(more?.tools["none"]).toBeNull();
    expect(images.find(({ id }) => id === "agentpod-base-extra")?.tools["extra"]).toBe("4.5.6");
    const packages = await inside(
      tree.ref("agentpod-base"),
      "dpkg-query --show --showformat '${Package} ${Architecture} ${Version}\\n' | LC_ALL=C sort | sha256sum | cut -c 1-64",
    );
    expect(images[0]?.packagesHash).toBe(`sha256:${packages}`);
    expect((await tree.run("manifest.sh", ["--check"])).exitCode).toBe(0);
  });

  test("any set of addons, by steps, with their names in order", async () => {
    const built = await tree.run("build.sh", ["--flavor", "one", "--addon", "more", "--addon", "extra"]);
    expect([built.exitCode, built.stdout]).toEqual([0, `${tree.ref("agentpod-one-extra-more")}\n`]);
    const again = await tree.run("build-addon.sh", ["extra", "--base", "agentpod-one-extra-more"]);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("has extra already")]);
    const other = await tree.run("build-addon.sh", [
      "extra",
      "--base",
      tree.ref("agentpod-two"),
      "--tag",
      tree.ref("mine"),
    ]);
    expect([other.exitCode, other.stdout]).toEqual([0, `${tree.ref("mine")}\n`]);
    const label = '{{index .Config.Labels "dev.agentpod.addons"}}';
    const labels = await run(["docker", "image", "inspect", "--format", label, tree.ref("agentpod-one-extra-more")]);
    expect(labels.stdout.trim()).toBe("extra,more");
  });

  test("a part over its budget fails the build, unless its README says why", async () => {
    tree.write("budgets.txt", "base 1000\naddons/more 2\n");
    tree.write("addons/more/README.md", "# More\n");
    const refused = await tree.run("build.sh", ["addons"]);
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringContaining(
        "agentpod-base-more: 3 MB are over its budget of 2 MB: make it smaller, or say why in docker/addons/more/README.md",
      ),
    ]);
    tree.write("addons/more/README.md", "# More\n\nBudget: randomness does not get smaller.\n");
    const excused = await tree.run("build.sh", ["addons"]);
    expect([excused.exitCode, excused.stderr]).toEqual([
      0,
      expect.stringContaining("over its budget of 2 MB: randomness does not get smaller."),
    ]);
  });

  test("an image that has grown is told from the manifest's", async () => {
    const file = join(tree.root, "manifest.json");
    const { images, ...rest } = manifest();
    const smaller = images.map((image) =>
      image.id === "agentpod-one" ? { ...image, sizeMb: image.sizeMb - 20 } : image,
    );
    await Bun.write(
      file,
      JSON.stringify({ ...rest, images: smaller.map((image) => ({ ...image, digest: `sha256:${"0".repeat(64)}` })) }),
    );
    const { exitCode, stdout } = await tree.run("manifest.sh", ["--check"]);
    expect([exitCode, stdout.split("\n").filter((line) => line.includes("the manifest says")).length]).toEqual([1, 1]);
    expect(stdout).toMatch(/agentpod-one weighs [\d.]+ MB, the manifest says [\d.]+; run docker\/scripts\/manifest.sh/);
    await Bun.write(file, "[]");
    expect((await tree.run("manifest.sh", [])).exitCode).toBe(0);
    expect(manifest().images).toHaveLength(9);
    const nowhere = await tree.run("manifest.sh", [], { MANIFEST_FILE: join(tree.root, "no/such/folder.json") });
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([1, expect.stringContaining("manifest.sh: ENOENT")]);
  });

  const broken = [
    { name: "a step that fails", step: "RUN exit 3", told: "the log above says which step failed" },
    {
      name: "a disk that is full",
      step: "RUN --mount=type=tmpfs,target=/small,size=1m head -c 5000000 /dev/zero > /small/file",
      told: "the disk is full",
    },
  ];
  for (const { name, step, told } of broken) {
    test(`${name} is said, and every name stays with the image it had`, async () => {
      const before = { images: await tree.images(), id: await idOf("agentpod-two"), base: await idOf("agentpod-one") };
      tree.write("flavors/two/Dockerfile", `ARG BASE_IMAGE\nFROM \${BASE_IMAGE}\n${step}\n`);
      const alone = await tree.run("build-flavor.sh", ["two"]);
      expect([alone.exitCode, alone.stdout, alone.stderr]).toEqual([1, "", expect.stringContaining(told)]);
      const all = await tree.run("build.sh", ["flavors"]);
      expect([all.exitCode, all.stdout]).toEqual([1, ""]);
      expect({ images: await tree.images(), id: await idOf("agentpod-two"), base: await idOf("agentpod-one") }).toEqual(
        before,
      );
    });
  }

  test("a registry for the cache that is down only matters when the cache is to be written", async () => {
    const [before, id] = [await tree.images(), await idOf("agentpod-base")];
    const cache = { CACHE_REPOSITORY: "127.0.0.1:9/acme/cache" };
    const written = await tree.run("build-base.sh", [], { ...cache, CACHE_WRITE: "true" });
    expect([written.exitCode, written.stdout, written.stderr]).toEqual([
      1,
      "",
      expect.stringContaining("the cache cannot be written to 127.0.0.1:9/acme/cache: it does not answer"),
    ]);
    expect((await tree.run("build-base.sh", [], cache)).exitCode).toBe(0);
    expect([await tree.images(), await idOf("agentpod-base")]).toEqual([before, id]);
  });

  test("a flavor that takes others in brings them along, without giving them names", async () => {
    const before = await tree.images();
    for (const flavor of ["js", "python"])
      tree.write(
        `flavors/${flavor}/Dockerfile`,
        `ARG BASE_IMAGE\nFROM \${BASE_IMAGE}\nRUN mkdir -p /taken && echo ${flavor} > /taken/${flavor}\n`,
      );
    const both =
      "ARG JS_IMAGE\nARG PYTHON_IMAGE\nFROM ${JS_IMAGE} AS js\nFROM ${PYTHON_IMAGE}\nCOPY --from=js /taken /taken\n";
    tree.write("flavors/fullstack/Dockerfile", both);
    const { exitCode, stdout } = await tree.run("build-flavor.sh", ["fullstack"]);
    expect([exitCode, stdout]).toEqual([0, `${tree.ref("agentpod-fullstack")}\n`]);
    expect(await inside(tree.ref("agentpod-fullstack"), "ls /taken")).toBe("js\npython");
    expect(await tree.images()).toEqual([...before, tree.ref("agentpod-fullstack")].toSorted());
  });

  test("a build that is ended leaves nothing half made behind", async () => {
    const before = await tree.images();
    tree.write("flavors/two/Dockerfile", "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN sleep 600\n");
    const child = Bun.spawn([join(tree.root, "scripts/build.sh"), "flavors"], {
      env: { ...process.env, ...tree.environment },
      stdout: "ignore",
      stderr: "pipe",
      detached: true,
    });
    let log = "";
    const reading = (async () => {
      for await (const chunk of child.stderr) log += new TextDecoder().decode(chunk);
    })();
    await until("the step runs", async () => /RUN sleep 600/.test(log) || undefined);
    process.kill(-child.pid, "SIGTERM");
    await Promise.all([child.exited, reading]);
    expect(child.exitCode).not.toBe(0);
    expect(await tree.images()).toEqual(before);
  });
});
