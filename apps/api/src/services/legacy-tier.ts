import type { ContainerTier, Violation } from "@agentpod/types";
import { containerTierReplacements } from "../models/container-tier.ts";

/** What a project of a deprecated tier is made from. */
export type LegacyMapping = ContainerTier["replacement"];

/** What replaces a deprecated tier, until `sunsetAt`; unknown and gone tiers are violations. */
export function mapLegacyTier(
  containerTierId: string,
  { now, sunsetAt }: { now: Date; sunsetAt: Date },
): { mapping: LegacyMapping } | { violation: Violation } {
  const path = "containerTierId";
  if (now.getTime() >= sunsetAt.getTime()) {
    const message = `Container tiers are gone since ${sunsetAt.toISOString().slice(0, 10)}`;
    return { violation: { path, code: "container_tiers_sunset", message, fix: replacement(containerTierId) } };
  }
  const mapping = containerTierReplacements.get(containerTierId);
  if (mapping !== undefined) return { mapping: { ...mapping, addonIds: [...mapping.addonIds] } };
  const message = `Container tier '${containerTierId}' not found`;
  const fix = `Known ids: ${[...containerTierReplacements.keys()].join(", ")}; better send resourceTierId, flavorId and addonIds`;
  return { violation: { path, code: "container_tier_not_found", message, fix } };
}

function replacement(containerTierId: string): string {
  const mapping = containerTierReplacements.get(containerTierId);
  if (mapping === undefined) return "Send resourceTierId, flavorId and addonIds instead";
  const { resourceTierId, flavorId, addonIds } = mapping;
  return `Send resourceTierId '${resourceTierId}', flavorId '${flavorId}' and addonIds ${JSON.stringify(addonIds)} instead`;
}
