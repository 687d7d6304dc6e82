import type { Database } from "bun:sqlite";
import type { ContainerAddonRecord, ContainerFlavorRecord, ResourceTierRecord } from "@agentpod/types";
import { getAllAddons } from "../models/container-addon.ts";
import { getAllFlavors } from "../models/container-flavor.ts";
import { getAllResourceTiers } from "../models/resource-tier.ts";

/** The catalog at one moment, each list in its order. Never changed: a write makes another one. */
export interface CatalogSnapshot {
  readonly tiers: readonly ResourceTierRecord[];
  readonly flavors: readonly ContainerFlavorRecord[];
  readonly addons: readonly ContainerAddonRecord[];
}

export type Catalog = ReturnType<typeof createCatalog>;

/** The catalog in memory. Whoever writes to its tables calls `refresh` after the commit. */
export function createCatalog(db: Database) {
  let current = readCatalog(db);
  return {
    /** The same object until the next refresh. */
    snapshot: (): CatalogSnapshot => current,
    refresh(): void {
      current = readCatalog(db);
    },
  };
}

function readCatalog(db: Database): CatalogSnapshot {
  return { tiers: getAllResourceTiers(db), flavors: getAllFlavors(db), addons: getAllAddons(db) };
}
