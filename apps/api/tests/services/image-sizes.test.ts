import type { ImageManifest, MeasuredImage } from "@agentpod/types";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { createLogger } from "../../src/http/logger.ts";
import { getAllAddons } from "../../src/models/container-addon.ts";
import { getAllFlavors } from "../../src/models/container-flavor.ts";
import { PLANNED_SIZES, readImageSizes } from "../../src/services/image-sizes.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { tempFolders } from "../support/temp-folder.ts";

const sha256 = `sha256:${"0".repeat(64)}`;
const image = (id: string, flavor: string | null, addons: string[], addedMb: number): MeasuredImage => ({
  id,
  flavor,
  addons,
  parent: "agentpod-base",
  sizeMb: 600 + addedMb,
  addedMb,
  compressedMb: null,
  addedCompressedMb: null,
  budgetMb: null,
  digest: sha256,
  packagesHash: sha256,
  tools: { node: "24.0.0", gcloud: null },
});
const manifest: ImageManifest = {
  version: "1.2.3",
  platform: "linux/amd64",
  images: [
    image("agentpod-base", null, [], 600),
    image("agentpod-js", "js", [], 175.4),
    image("agentpod-base-gui", null, ["gui"], 401.6),
    image("agentpod-js-cloud", "js", ["cloud"], 99),
  ],
};

test("the planned sizes are those a new database has", () => {
  const db = openDatabase(":memory:", { migrate: true });
  const sizes = (entries: { id: string; imageSizeMb: number | null }[]) =>
    entries.map(({ id, imageSizeMb }): [string, number] => [id, imageSizeMb ?? -1]);
  expect(sizes(getAllFlavors(db))).toEqual([...PLANNED_SIZES.flavors]);
  expect(sizes(getAllAddons(db))).toEqual([...PLANNED_SIZES.addons]);
  closeDatabase(db);
});

describe("reading the manifest", () => {
  const tempFolder = tempFolders();

  function read(content?: string) {
    const path = join(tempFolder(), "manifest.json");
    if (content !== undefined) writeFileSync(path, content);
    const logged: Record<string, unknown>[] = [];
    const logger = createLogger("info", {
      write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>),
    });
    const sizes = readImageSizes(path, logger);
    return { flavors: [...sizes.flavors], addons: [...sizes.addons], logged };
  }

  test("takes what flavors add to the base, and addons to the base alone, in whole MB", () => {
    expect(read(JSON.stringify(manifest))).toEqual({ flavors: [["js", 175]], addons: [["gui", 402]], logged: [] });
  });

  test("without one it says so and goes on", () => {
    const { logged, ...sizes } = read();
    expect(sizes).toEqual({ flavors: [], addons: [] });
    expect(logged).toMatchObject([{ level: "info", reason: "ENOENT" }]);
  });

  test.each([
    ["no JSON", "{", "the file: "],
    ["another form", JSON.stringify({ ...manifest, images: {} }), "images: "],
    ["a size that is none", JSON.stringify(manifest).replace("175.4", "-1"), "images.1.addedMb: "],
    ["a folder of another kind", "[]", "the file: "],
  ])("one with %s is a warning that says what is wrong, and goes on", (_, content, reason) => {
    const { logged, ...sizes } = read(content);
    expect(sizes).toEqual({ flavors: [], addons: [] });
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ level: "warn", reason: expect.stringContaining(reason) });
  });
});

describe("measured sizes in the catalog", () => {
  let api: TestApp;
  beforeEach(() => {
    api = createTestApp({ imageSizes: { flavors: new Map([["js", 175]]), addons: new Map([["gui", 402]]) } });
  });
  afterEach(async () => await api.close());

  const sizeIn = async (path: string, one: string) => (await api.call("GET", path)).body[one].imageSizeMb;
  async function sizeInList(id: string) {
    const { body } = await api.call("GET", "/api/flavors");
    return (body.flavors as { id: string; imageSizeMb: number }[]).find((flavor) => flavor.id === id)?.imageSizeMb;
  }

  test("are answered instead of the planned ones, in lists, entries and resolutions", async () => {
    expect(await sizeInList("js")).toBe(175);
    expect(await sizeIn("/api/flavors/js", "flavor")).toBe(175);
    expect(await sizeIn("/api/addons/gui", "addon")).toBe(402);
    const { body } = await api.call("POST", "/api/images/resolve", { flavorId: "js", addonIds: ["gui"] });
    expect([body.flavor.imageSizeMb, body.addons[0].imageSizeMb]).toEqual([175, 402]);
  });

  test("leave what was not measured as it was planned", async () => {
    expect(await sizeInList("python")).toBe(900);
    expect(await sizeIn("/api/addons/cloud", "addon")).toBe(400);
  });

  test("give way to an admin's own size at once, and come back for null", async () => {
    const before = (await api.call("GET", "/api/flavors")).headers.get("etag");
    const changed = await api.call("PATCH", "/api/flavors/js", { imageSizeMb: 321 });
    expect(changed.body.flavor.imageSizeMb).toBe(321);
    expect(await sizeInList("js")).toBe(321);
    expect((await api.call("GET", "/api/flavors")).headers.get("etag")).not.toBe(before);
    const back = await api.call("PATCH", "/api/flavors/js", { imageSizeMb: null });
    expect(back.body.flavor.imageSizeMb).toBe(175);
    expect(await sizeInList("js")).toBe(175);
  });

  test.each(["flavors/js", "addons/gui"])("sent back as they were answered are no choice (%s)", async (path) => {
    const one = path.startsWith("flavors") ? "flavor" : "addon";
    const { createdAt, updatedAt, ...entry } = (await api.call("GET", `/api/${path}`)).body[one];
    const { status, body } = await api.call("PATCH", `/api/${path}`, { ...entry, description: "Mine" });
    expect([status, body[one].imageSizeMb, body[one].description]).toEqual([200, entry.imageSizeMb, "Mine"]);
    const table = one === "flavor" ? "container_flavors" : "container_addons";
    const stored = api.db.query(`SELECT image_size_mb AS mb FROM ${table} WHERE id = ?`).get(entry.id);
    expect(stored).toEqual({ mb: 800 });
    expect([createdAt, updatedAt]).toEqual([expect.any(String), expect.any(String)]);
  });
});
