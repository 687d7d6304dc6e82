import type { AddonCategory, ContainerAddonRecord, ContainerFlavorRecord, ResourceTierRecord } from "@agentpod/types";
import { ApiError } from "../http/problem.ts";
import type { Catalog } from "./catalog.ts";
import { nearest } from "./nearest.ts";

/** What an unknown id is called. */
export const NOT_FOUND = {
  tier: "resource_tier_not_found",
  flavor: "flavor_not_found",
  addon: "addon_not_found",
} as const;

export type CatalogReader = ReturnType<typeof createCatalogReader>;

/** Looks into the catalog; a missing entry is an ApiError with its own code. */
export function createCatalogReader(catalog: Catalog) {
  return {
    tier: (id: string): ResourceTierRecord => find("tier", id, catalog.snapshot().tiers),
    flavor: (id: string): ContainerFlavorRecord => find("flavor", id, catalog.snapshot().flavors),
    addon: (id: string): ContainerAddonRecord => find("addon", id, catalog.snapshot().addons),
    addonsOf: (category: AddonCategory): ContainerAddonRecord[] =>
      catalog.snapshot().addons.filter((addon) => addon.category === category),
  };
}

function find<E extends { id: string }>(kind: keyof typeof NOT_FOUND, id: string, entries: readonly E[]): E {
  const entry = entries.find((candidate) => candidate.id === id);
  if (entry !== undefined) return entry;
  const ids = entries.map((known) => known.id);
  const near = nearest(id, ids);
  const hint = near === undefined ? "" : `did you mean '${near}'? `;
  throw new ApiError(NOT_FOUND[kind], `No ${kind} has this id; ${hint}Known ids: ${ids.join(", ")}`);
}
