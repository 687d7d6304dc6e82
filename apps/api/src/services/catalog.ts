import type { Database } from "bun:sqlite";
import type { ContainerAddonRecord, ContainerFlavorRecord, ResourceTierRecord } from "@agentpod/types";
import { getAllAddons } from "../models/container-addon.ts";
import { getAllFlavors } from "../models/container-flavor.ts";
import { getAllResourceTiers } from "../models/resource-tier.ts";
import { type ImageSizes, NO_SIZES, withMeasuredSize } from "./image-sizes.ts";

/** The catalog at one moment, each list in its order. Never changed: a write makes another one. */
export interface CatalogSnapshot {
  readonly tiers: readonly ResourceTierRecord[];
  readonly flavors: readonly ContainerFlavorRecord[];
  readonly addons: readonly ContainerAddonRecord[];
}

export type Catalog = ReturnType<typeof createCatalog>;

/** The catalog in memory, with measured sizes. Whoever writes to its tables calls `refresh` after the commit. */
export function createCatalog(db: Database, sizes: ImageSizes = NO_SIZES) {
  let current = readCatalog(db, sizes);
  return {
    /** The same object until the next refresh. */
    snapshot: (): CatalogSnapshot => current,
    refresh(): void {
      current = readCatalog(db, sizes);
    },
  };
}

function readCatalog(db: Database, sizes: ImageSizes): CatalogSnapshot {
  return {
    tiers: getAllResourceTiers(db),
    flavors: getAllFlavors(db).map((flavor) => withMeasuredSize(flavor, "flavors", sizes)),
    addons: getAllAddons(db).map((addon) => withMeasuredSize(addon, "addons", sizes)),
  };
}
