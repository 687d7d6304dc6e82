import type {
  ContainerAddonRecord,
  ContainerFlavorRecord,
  ResourceTierRecord,
  ResolveImageOptions,
  Violation,
  ViolationCode,
} from "@agentpod/types";
import type { CatalogSnapshot } from "./catalog.ts";
import { nearest } from "./nearest.ts";

/** A tier, a flavor and addons that go together; the addons in alphabetical order, without doubles. */
export interface Configuration {
  tier: ResourceTierRecord;
  flavor: ContainerFlavorRecord;
  addons: ContainerAddonRecord[];
}

export type PickedConfiguration =
  | { ok: true; configuration: Configuration; warnings: string[] }
  | { ok: false; violations: Violation[]; warnings: string[] };

interface Offer extends CatalogSnapshot {
  capabilities?: { gpu: boolean };
}

/** Finds what was asked for in the catalog, or everything that is wrong with it. */
export function pickConfiguration(options: ResolveImageOptions, offer: Offer): PickedConfiguration {
  const violations: Violation[] = [];
  const warnings: string[] = [];
  const tier = pickOne("resourceTierId", options.resourceTierId, offer.tiers, violations);
  const flavor = pickOne("flavorId", options.flavorId, offer.flavors, violations);
  const addons = pickAddons(options.addonIds ?? [], offer, { violations, warnings });
  checkGpu(addons, offer.capabilities, { violations, warnings });
  if (flavor !== undefined) checkFlavor(addons, flavor, violations);
  if (tier === undefined || flavor === undefined || violations.length > 0) return { ok: false, violations, warnings };
  const sorted = addons.map(({ addon }) => addon).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { ok: true, configuration: { tier, flavor, addons: sorted }, warnings };
}

interface Entry {
  id: string;
  isDefault: boolean;
}

const KINDS = {
  resourceTierId: { name: "Resource tier", code: "resource_tier_not_found" },
  flavorId: { name: "Flavor", code: "flavor_not_found" },
  addonIds: { name: "Addon", code: "addon_not_found" },
} as const satisfies Record<string, { name: string; code: ViolationCode }>;

function pickOne<E extends Entry>(
  path: "resourceTierId" | "flavorId",
  id: string | undefined,
  entries: readonly E[],
  violations: Violation[],
): E | undefined {
  const found = entries.find((entry) => (id === undefined ? entry.isDefault : entry.id === id));
  if (found !== undefined) return found;
  const { name, code } = KINDS[path];
  if (id !== undefined) violations.push(unknownId(path, path, id, entries));
  else violations.push({ path, code, message: `${name} is missing and there is no default`, fix: idsToUse(entries) });
  return undefined;
}

interface AskedAddon {
  addon: ContainerAddonRecord;
  path: string;
}

function pickAddons(
  ids: readonly string[],
  offer: Offer,
  { violations, warnings }: { violations: Violation[]; warnings: string[] },
): AskedAddon[] {
  const seen = new Set<string>();
  const asked: AskedAddon[] = [];
  for (const [index, id] of ids.entries()) {
    if (seen.has(id)) {
      const text = `Addon '${id}' was asked for more than once`;
      if (!warnings.includes(text)) warnings.push(text);
      continue;
    }
    seen.add(id);
    const path = `addonIds.${index}`;
    const addon = offer.addons.find((candidate) => candidate.id === id);
    if (addon === undefined) violations.push(unknownId("addonIds", path, id, offer.addons));
    else asked.push({ addon, path });
  }
  return asked;
}

function checkGpu(
  asked: readonly AskedAddon[],
  capabilities: { gpu: boolean } | undefined,
  { violations, warnings }: { violations: Violation[]; warnings: string[] },
): void {
  for (const { addon, path } of asked) {
    if (!addon.requiresGpu || capabilities?.gpu === true) continue;
    if (capabilities === undefined) {
      warnings.push(`Addon '${addon.id}' needs a GPU, and it is not known whether there is one`);
      continue;
    }
    const message = `Addon '${addon.id}' needs a GPU, and the runtime has none`;
    violations.push({ path, code: "gpu_unavailable", message, fix: `Leave out '${addon.id}'` });
  }
}

function checkFlavor(asked: readonly AskedAddon[], flavor: ContainerFlavorRecord, violations: Violation[]): void {
  for (const { addon, path } of asked) {
    const { id, requiresFlavor } = addon;
    if (requiresFlavor === null || requiresFlavor === flavor.id) continue;
    const message = `Addon '${id}' works on flavor '${requiresFlavor}' only, not on '${flavor.id}'`;
    const fix = `Use flavor '${requiresFlavor}', or leave out '${id}'`;
    violations.push({ path, code: "addon_requires_flavor", message, fix });
  }
}

function unknownId(kind: keyof typeof KINDS, path: string, id: string, entries: readonly { id: string }[]): Violation {
  const { name, code } = KINDS[kind];
  const ids = entries.map((entry) => entry.id);
  const near = nearest(id, ids);
  const fix = near === undefined ? idsToUse(entries) : `Did you mean '${near}'? ${idsToUse(entries)}`;
  return { path, code, message: `${name} '${id}' not found`, fix };
}

function idsToUse(entries: readonly { id: string }[]): string {
  return entries.length === 0 ? "The catalog is empty" : `Known ids: ${entries.map(({ id }) => id).join(", ")}`;
}
