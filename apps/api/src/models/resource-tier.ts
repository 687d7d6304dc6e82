import type { Database } from "bun:sqlite";
import type { ResourceTierRecord } from "@agentpod/types";
import { catalogTable, type EntryPatch, type NewEntry } from "./catalog-table.ts";
import type { Result } from "./result.ts";
import { isoTime } from "./row.ts";

export type ResourceTier = ResourceTierRecord;
export type NewResourceTier = NewEntry<ResourceTier>;
export type ResourceTierPatch = EntryPatch<ResourceTier>;

const tiers = catalogTable<ResourceTier>({
  table: "resource_tiers",
  columns: {
    name: "name",
    description: "description",
    cpuCores: "cpu_cores",
    memoryGb: "memory_gb",
    storageGb: "storage_gb",
    priceMonthly: "price_monthly",
    isDefault: "is_default",
    sortOrder: "sort_order",
  },
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    cpuCores: row.cpuCores,
    memoryGb: row.memoryGb,
    storageGb: row.storageGb,
    priceMonthly: row.priceMonthly,
    isDefault: row.isDefault === 1,
    sortOrder: row.sortOrder,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  }),
  usedBy: ["SELECT 1 FROM projects WHERE resource_tier_id = ?1 LIMIT 1"],
});

/** In the catalog's order: sort order, then id. */
export function getAllResourceTiers(db: Database): ResourceTier[] {
  return tiers.where(db, "");
}

export function getResourceTierById(db: Database, id: string): ResourceTier | undefined {
  return tiers.find(db, id);
}

export function getDefaultResourceTier(db: Database): ResourceTier | undefined {
  return tiers.findDefault(db);
}

/** A tier made the default takes that from the one that was. */
export function createResourceTier(db: Database, tier: NewResourceTier): Result<ResourceTier, "id_taken"> {
  return tiers.create(db, tier);
}

/** `is_default`: the default stays one until another tier is made it. */
export function updateResourceTier(
  db: Database,
  id: string,
  patch: ResourceTierPatch,
): Result<ResourceTier, "not_found" | "is_default"> {
  return tiers.update(db, id, patch);
}

/** Gives the tier that is gone. `in_use`: a project has it. */
export function deleteResourceTier(
  db: Database,
  id: string,
): Result<ResourceTier, "not_found" | "is_default" | "in_use"> {
  return tiers.remove(db, id);
}
