import type { Database } from "bun:sqlite";
import type { ContainerTier } from "@agentpod/types";
import { prepared } from "../db/prepared.ts";
import type { EntryRow } from "./catalog-table.ts";
import { isoTime } from "./row.ts";

type Replacement = ContainerTier["replacement"];
type Row = EntryRow<Omit<ContainerTier, "replacement">>;

/** What projects of the old tiers were migrated to; the same as migration 003's. */
export const containerTierReplacements: ReadonlyMap<string, Replacement> = new Map([
  ["lite", { resourceTierId: "starter", flavorId: "fullstack", addonIds: ["code-server"] }],
  ["standard", { resourceTierId: "builder", flavorId: "fullstack", addonIds: ["code-server"] }],
  ["pro", { resourceTierId: "creator", flavorId: "fullstack", addonIds: ["code-server"] }],
  ["desktop", { resourceTierId: "creator", flavorId: "fullstack", addonIds: ["gui", "code-server"] }],
]);
const fallback: Replacement = { resourceTierId: "starter", flavorId: "fullstack", addonIds: ["code-server"] };

const select = `
  SELECT id, name, description, cpu_cores AS "cpuCores", memory_gb AS "memoryGb", storage_gb AS "storageGb",
    price_monthly AS "priceMonthly", is_default AS "isDefault", sort_order AS "sortOrder",
    created_at AS "createdAt", updated_at AS "updatedAt"
  FROM container_tiers`;

/** The deprecated tiers, in their order. There is nothing to write: they only go away. */
export function getAllContainerTiers(db: Database): ContainerTier[] {
  return prepared<Row, []>(db, `${select} ORDER BY sort_order, id`).all().map(toTier);
}

export function getContainerTierById(db: Database, id: string): ContainerTier | undefined {
  const row = prepared<Row, [string]>(db, `${select} WHERE id = ?1`).get(id);
  return row === null ? undefined : toTier(row);
}

/** What a project of the old tier gets instead; a missing or unknown tier gets the defaults. */
export function replacementOf(containerTierId: string | null): Replacement {
  const { addonIds, ...rest } = containerTierReplacements.get(containerTierId ?? "") ?? fallback;
  return { ...rest, addonIds: [...addonIds] };
}

function toTier(row: Row): ContainerTier {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    cpuCores: row.cpuCores,
    memoryGb: row.memoryGb,
    storageGb: row.storageGb,
    priceMonthly: row.priceMonthly,
    isDefault: row.isDefault === 1,
    sortOrder: row.sortOrder,
    replacement: replacementOf(row.id),
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  };
}
