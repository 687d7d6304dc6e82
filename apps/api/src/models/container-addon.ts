import type { Database } from "bun:sqlite";
import type { AddonCategory, ContainerAddonRecord } from "@agentpod/types";
import { catalogTable, type EntryPatch, type NewEntry } from "./catalog-table.ts";
import type { Result } from "./result.ts";
import { isoTime } from "./row.ts";

export type { AddonCategory };

export type ContainerAddon = ContainerAddonRecord;
export type NewContainerAddon = NewEntry<ContainerAddon>;
export type ContainerAddonPatch = EntryPatch<ContainerAddon>;

const addons = catalogTable<ContainerAddon>({
  table: "container_addons",
  columns: {
    name: "name",
    description: "description",
    category: "category",
    imageSizeMb: "image_size_mb",
    port: "port",
    requiresGpu: "requires_gpu",
    requiresFlavor: "requires_flavor",
    priceMonthly: "price_monthly",
    sortOrder: "sort_order",
  },
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    category: row.category,
    imageSizeMb: row.imageSizeMb,
    port: row.port,
    requiresGpu: row.requiresGpu === 1,
    requiresFlavor: row.requiresFlavor,
    priceMonthly: row.priceMonthly,
    sortOrder: row.sortOrder,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  }),
  usedBy: [`SELECT 1 FROM projects WHERE instr(addon_ids, '"' || ?1 || '"') > 0 LIMIT 1`],
});

/** In the catalog's order: sort order, then id. */
export function getAllAddons(db: Database): ContainerAddon[] {
  return addons.where(db, "");
}

export function getAddonById(db: Database, id: string): ContainerAddon | undefined {
  return addons.find(db, id);
}

/** In the catalog's order. */
export function getAddonsByCategory(db: Database, category: AddonCategory): ContainerAddon[] {
  return addons.where(db, "WHERE category = ?1", category);
}

/** The known ones among `ids`, once each, in the catalog's order. */
export function getAddonsByIds(db: Database, ids: readonly string[]): ContainerAddon[] {
  return ids.length === 0 ? [] : addons.where(db, "WHERE id IN (SELECT value FROM json_each(?1))", JSON.stringify(ids));
}

export function createAddon(db: Database, addon: NewContainerAddon): Result<ContainerAddon, "id_taken"> {
  return addons.create(db, addon);
}

export function updateAddon(
  db: Database,
  id: string,
  patch: ContainerAddonPatch,
): Result<ContainerAddon, "not_found" | "is_default"> {
  return addons.update(db, id, patch);
}

/** Gives the addon that is gone. `in_use`: a project has it. */
export function deleteAddon(db: Database, id: string): Result<ContainerAddon, "not_found" | "is_default" | "in_use"> {
  return addons.remove(db, id);
}
