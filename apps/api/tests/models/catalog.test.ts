import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { ContainerAddonRecord, ContainerFlavorRecord, ContainerTier, ResourceTierRecord } from "@agentpod/types";
import { openDatabase } from "../../src/db/open.ts";
import {
  createAddon,
  createFlavor,
  createResourceTier,
  deleteAddon,
  deleteFlavor,
  deleteResourceTier,
  getAddonById,
  getAddonsByCategory,
  getAddonsByIds,
  getAllAddons,
  getAllContainerTiers,
  getAllFlavors,
  getAllResourceTiers,
  getContainerTierById,
  getDefaultFlavor,
  getDefaultResourceTier,
  getFlavorById,
  getResourceTierById,
  insertProject,
  updateAddon,
  updateFlavor,
  updateResourceTier,
} from "../../src/models/index.ts";

const newDatabase = () => openDatabase(":memory:", { migrate: true });

const tier = {
  id: "mini",
  name: "Mini",
  description: null,
  cpuCores: 1,
  memoryGb: 1,
  storageGb: 5,
  priceMonthly: 2.5,
  isDefault: false,
  sortOrder: 0,
};
const flavor = {
  id: "zig",
  name: "Zig",
  description: "Zig",
  languages: ["zig", "c"],
  imageSizeMb: null,
  isDefault: false,
  sortOrder: 9,
};
const addon = {
  id: "ssh",
  name: "SSH",
  description: null,
  category: "devops" as const,
  imageSizeMb: 5,
  port: 2222,
  requiresGpu: true,
  requiresFlavor: "go",
  priceMonthly: 1,
  sortOrder: 3,
};

describe("the seeded catalog", () => {
  test("has the plan's entries in the plan's order, in the contract's shape", () => {
    const db = newDatabase();
    expect(getAllResourceTiers(db).map(({ id }) => id)).toEqual(["starter", "builder", "creator", "power"]);
    expect(getAllFlavors(db).map(({ id }) => id)).toEqual(["js", "python", "go", "rust", "fullstack", "polyglot"]);
    expect(getAllAddons(db).map(({ id }) => id)).toEqual(["gui", "code-server", "databases", "cloud", "gpu"]);
    expect(getAllContainerTiers(db).map(({ id }) => id)).toEqual(["lite", "standard", "pro", "desktop"]);
    z.array(z.strictObject(ResourceTierRecord.shape)).parse(getAllResourceTiers(db));
    z.array(z.strictObject(ContainerFlavorRecord.shape)).parse(getAllFlavors(db));
    z.array(z.strictObject(ContainerAddonRecord.shape)).parse(getAllAddons(db));
    z.array(z.strictObject(ContainerTier.shape)).parse(getAllContainerTiers(db));
  });

  test("finds one by its id and nothing by another", () => {
    const db = newDatabase();
    expect(getResourceTierById(db, "power")).toMatchObject({
      cpuCores: 8,
      memoryGb: 16,
      storageGb: 100,
      priceMonthly: 50,
      isDefault: false,
    });
    expect(getFlavorById(db, "polyglot")?.languages).toEqual(["javascript", "typescript", "python", "go", "rust"]);
    expect(getAddonById(db, "gui")).toMatchObject({
      category: "interface",
      port: 6080,
      requiresGpu: false,
      requiresFlavor: null,
    });
    expect(getAddonById(db, "gpu")?.requiresGpu).toBe(true);
    for (const id of ["", "Starter", "' OR 1=1", "nope"]) {
      expect([
        getResourceTierById(db, id),
        getFlavorById(db, id),
        getAddonById(db, id),
        getContainerTierById(db, id),
      ]).toEqual(Array(4).fill(undefined));
    }
  });

  test("has a default tier and flavor", () => {
    const db = newDatabase();
    expect(getDefaultResourceTier(db)?.id).toBe("starter");
    expect(getDefaultFlavor(db)?.id).toBe("fullstack");
  });

  test("gives addons by category and by ids, once each and in order", () => {
    const db = newDatabase();
    expect(getAddonsByCategory(db, "interface").map(({ id }) => id)).toEqual(["gui", "code-server"]);
    expect(getAddonsByIds(db, ["cloud", "nope", "gui", "cloud"]).map(({ id }) => id)).toEqual(["gui", "cloud"]);
    expect(getAddonsByIds(db, [])).toEqual([]);
  });

  test("tells what replaces each old tier, as the migration mapped it", () => {
    const replacements = getAllContainerTiers(newDatabase()).map(({ id, replacement }) => [
      id,
      replacement.resourceTierId,
      replacement.flavorId,
      replacement.addonIds,
    ]);
    expect(replacements).toEqual([
      ["lite", "starter", "fullstack", ["code-server"]],
      ["standard", "builder", "fullstack", ["code-server"]],
      ["pro", "creator", "fullstack", ["code-server"]],
      ["desktop", "creator", "fullstack", ["gui", "code-server"]],
    ]);
  });
});

describe("writing the catalog", () => {
  test("creates entries with all their fields, and refuses a taken id", () => {
    const db = newDatabase();
    expect(createResourceTier(db, tier)).toMatchObject({ ok: true, value: tier });
    expect(createFlavor(db, flavor)).toMatchObject({ ok: true, value: flavor });
    expect(createAddon(db, addon)).toMatchObject({ ok: true, value: addon });
    expect(getAllResourceTiers(db)[0]?.id).toBe("mini");
    for (const again of [
      createResourceTier(db, { ...tier, name: "X" }),
      createFlavor(db, flavor),
      createAddon(db, addon),
    ]) {
      expect(again).toEqual({ ok: false, reason: "id_taken" });
    }
    expect(getResourceTierById(db, "mini")?.name).toBe("Mini");
  });

  test("changes only the given fields and the time", () => {
    const db = newDatabase();
    const before = getFlavorById(db, "js");
    const changed = updateFlavor(db, "js", { languages: ["javascript"], imageSizeMb: null });
    if (!changed.ok) throw new Error(changed.reason);
    expect(changed.value).toEqual({
      ...changed.value,
      ...before,
      languages: ["javascript"],
      imageSizeMb: null,
      updatedAt: changed.value.updatedAt,
    });
    expect(Date.parse(changed.value.updatedAt)).toBeGreaterThanOrEqual(Date.parse(before?.updatedAt ?? ""));
    expect(updateAddon(db, "gui", { port: null, requiresGpu: true })).toMatchObject({
      ok: true,
      value: { port: null, requiresGpu: true, name: "Desktop GUI" },
    });
    expect(updateAddon(db, "gui", {})).toMatchObject({ ok: true, value: { port: null } });
    expect(updateAddon(db, "nope", { name: "X" })).toEqual({ ok: false, reason: "not_found" });
  });

  test("keeps exactly one default", () => {
    const db = newDatabase();
    const defaults = () =>
      [...getAllResourceTiers(db), ...getAllFlavors(db)].filter(({ isDefault }) => isDefault).map(({ id }) => id);
    createResourceTier(db, { ...tier, isDefault: true });
    updateFlavor(db, "js", { isDefault: true });
    expect(defaults()).toEqual(["mini", "js"]);
    updateFlavor(db, "js", { isDefault: true, name: "JS" });
    createResourceTier(db, { ...tier, isDefault: true });
    expect(defaults()).toEqual(["mini", "js"]);
    expect(updateResourceTier(db, "mini", { isDefault: false, name: "Y" })).toEqual({
      ok: false,
      reason: "is_default",
    });
    expect(deleteFlavor(db, "js")).toEqual({ ok: false, reason: "is_default" });
    expect(getResourceTierById(db, "mini")?.name).toBe("Mini");
    expect(defaults()).toEqual(["mini", "js"]);
  });

  test("deletes what nothing needs, and only that", () => {
    const db = newDatabase();
    const project = insertProject(db, {
      name: "P",
      slug: "p",
      resourceTierId: "power",
      flavorId: "rust",
      addonIds: ["gui", "code-server"],
    });
    expect(project.ok).toBe(true);
    createAddon(db, addon);
    const inUse = { ok: false, reason: "in_use" } as const;
    expect(deleteResourceTier(db, "power")).toEqual(inUse);
    expect(deleteFlavor(db, "rust")).toEqual(inUse);
    expect(deleteFlavor(db, "go")).toEqual(inUse);
    expect(deleteAddon(db, "code-server")).toEqual(inUse);
    expect(deleteAddon(db, "nope")).toEqual({ ok: false, reason: "not_found" });
    // Part of another addon's id, but no addon of the project.
    createAddon(db, { ...addon, id: "code" });
    expect(deleteAddon(db, "code").ok).toBe(true);
    expect(deleteAddon(db, "ssh")).toMatchObject({ ok: true, value: { id: "ssh" } });
    expect(deleteFlavor(db, "go").ok).toBe(true);
    expect(deleteResourceTier(db, "creator").ok).toBe(true);
    expect([getAddonById(db, "ssh"), getFlavorById(db, "go"), getResourceTierById(db, "creator")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("is part of the caller's transaction", () => {
    const db = newDatabase();
    const roll = db.transaction(() => {
      createResourceTier(db, { ...tier, isDefault: true });
      throw new Error("no");
    });
    expect(() => roll.immediate()).toThrow("no");
    expect(getDefaultResourceTier(db)?.id).toBe("starter");
    expect(getResourceTierById(db, "mini")).toBeUndefined();
  });
});

test("columns that hold nonsense are read as nothing", () => {
  const db = newDatabase();
  db.run(`UPDATE container_flavors SET languages = '{broken', created_at = 'yesterday' WHERE id = 'js'`);
  db.run(
    `UPDATE container_flavors SET languages = '["a", 1, null, "b"]', created_at = '2026-01-01 00:00:00', updated_at = '2026-01-01T02:00:00+02:00' WHERE id = 'go'`,
  );
  expect(getFlavorById(db, "js")).toMatchObject({ languages: [], createdAt: "1970-01-01T00:00:00.000Z" });
  expect(getFlavorById(db, "go")).toMatchObject({
    languages: ["a", "b"],
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
  });
});
