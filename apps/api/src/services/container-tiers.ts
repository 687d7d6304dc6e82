import type { Database } from "bun:sqlite";
import type { ContainerTier } from "@agentpod/types";
import { ApiError } from "../http/problem.ts";
import { getAllContainerTiers, getContainerTierById } from "../models/container-tier.ts";

export interface ContainerTiersDeps {
  db: Database;
  /** From then on the deprecated tiers are gone. */
  sunsetAt: Date;
  now: () => Date;
}

export type ContainerTiers = ReturnType<typeof createContainerTiers>;

/** The tiers that were there before flavors and addons, while they last. */
export function createContainerTiers({ db, sunsetAt, now }: ContainerTiersDeps) {
  const checkSunset = (): void => {
    if (now().getTime() < sunsetAt.getTime()) return;
    const day = sunsetAt.toISOString().slice(0, 10);
    throw new ApiError("container_tiers_sunset", `Container tiers are gone since ${day}; use /api/resource-tiers`);
  };
  return {
    list(): ContainerTier[] {
      checkSunset();
      return getAllContainerTiers(db);
    },
    get(id: string): ContainerTier {
      checkSunset();
      const tier = getContainerTierById(db, id);
      if (tier !== undefined) return tier;
      throw new ApiError("container_tier_not_found", "No container tier has this id; better use /api/resource-tiers");
    },
  };
}
