import type { CatalogSnapshot } from "./catalog.ts";

/** `base` is the image that flavors stand on. */
const RESERVED_FLAVORS = new Set(["base"]);
/** Services that every sandbox has, and what stands before host names. */
const RESERVED_ADDONS = new Set(["opencode", "gateway", "acp", "code", "vnc"]);

/** Why a new entry of the catalog cannot have this id; undefined when it can. */
export function idConflict(
  kind: "flavor" | "addon",
  id: string,
  { flavors, addons }: Pick<CatalogSnapshot, "flavors" | "addons">,
): string | undefined {
  if ((kind === "flavor" ? RESERVED_FLAVORS : RESERVED_ADDONS).has(id)) return `The id '${id}' is reserved`;
  const flavorIds = [...flavors.map((flavor) => flavor.id), ...(kind === "flavor" ? [id] : [])];
  const addonIds = [...addons.map((addon) => addon.id), ...(kind === "addon" ? [id] : [])];
  for (const longer of flavorIds) {
    const shorter = flavorIds.find((flavorId) =>
      addonIds.some((addonId) => startsWith(longer, `${flavorId}-${addonId}`)),
    );
    if (shorter !== undefined)
      return `Images of flavor '${longer}' would have the same names as flavor '${shorter}' with an addon`;
  }
  for (const longer of addonIds) {
    const shorter = addonIds.find((one) => addonIds.some((other) => startsWith(longer, `${one}-${other}`)));
    if (shorter !== undefined)
      return `Images with addon '${longer}' would have the same names as some with addon '${shorter}'`;
  }
  return undefined;
}

const startsWith = (id: string, prefix: string): boolean => id === prefix || id.startsWith(`${prefix}-`);
