import type { Database } from "bun:sqlite";
import type { ContainerAddonRecord, Violation } from "@agentpod/types";
import { ApiError } from "../http/problem.ts";
import {
  type ContainerAddonPatch,
  createAddon,
  deleteAddon,
  type NewContainerAddon,
  updateAddon,
} from "../models/container-addon.ts";
import {
  type ContainerFlavorPatch,
  createFlavor,
  deleteFlavor,
  type NewContainerFlavor,
  updateFlavor,
} from "../models/container-flavor.ts";
import {
  createResourceTier,
  deleteResourceTier,
  type NewResourceTier,
  type ResourceTierPatch,
  updateResourceTier,
} from "../models/resource-tier.ts";
import type { Result } from "../models/result.ts";
import type { Catalog } from "./catalog.ts";
import { NOT_FOUND } from "./catalog-reader.ts";
import { idConflict } from "./id-conflict.ts";
import { GATEWAY_PORT, OPENCODE_PORT } from "./sandbox-ports.ts";

export type CatalogAdmin = ReturnType<typeof createCatalogAdmin>;

/** Changes of the catalog: each is checked, written whole, and seen by the next reader. */
export function createCatalogAdmin(db: Database, catalog: Catalog) {
  const done = <Value>(kind: keyof typeof NOT_FOUND, result: Result<Value, Refusal>): Value => {
    if (!result.ok) throw refusal(kind, result.reason);
    catalog.refresh();
    return result.value;
  };

  /** What an addon would be must fit what else is in the catalog. */
  const checkAddon = (addon: Partial<Pick<ContainerAddonRecord, "port" | "requiresFlavor">>, id: string): void => {
    const errors = [...portViolations(addon.port ?? null, id), ...flavorViolations(addon.requiresFlavor ?? null)];
    if (errors.length === 0) return;
    throw new ApiError("validation_failed", errors.map(({ message }) => message).join("; "), { errors });
  };

  const checkNewId = (kind: "flavor" | "addon", id: string): void => {
    const reason = idConflict(kind, id, catalog.snapshot());
    if (reason === undefined) return;
    const errors: Violation[] = [{ path: "id", code: "invalid_value", message: reason, fix: "Choose another id" }];
    throw new ApiError("validation_failed", reason, { errors });
  };

  const portViolations = (port: number | null, id: string): Violation[] => {
    if (port === null) return [];
    const other = catalog.snapshot().addons.find((addon) => addon.port === port && addon.id !== id);
    const holder = port === OPENCODE_PORT ? "OpenCode" : port === GATEWAY_PORT ? "the gateway" : other?.name;
    if (holder === undefined) return [];
    const message = `Port ${port} belongs to ${holder}; two services cannot share it`;
    return [{ path: "port", code: "invalid_value", message, fix: "Use a port that no other service has" }];
  };

  const flavorViolations = (flavorId: string | null): Violation[] => {
    const ids = catalog.snapshot().flavors.map(({ id }) => id);
    if (flavorId === null || ids.includes(flavorId)) return [];
    const message = `Flavor '${flavorId}' not found`;
    return [{ path: "requiresFlavor", code: "flavor_not_found", message, fix: `Known ids: ${ids.join(", ")}` }];
  };

  return {
    tiers: {
      create: (tier: NewResourceTier) => done("tier", createResourceTier(db, tier)),
      update: (id: string, patch: ResourceTierPatch) => done("tier", updateResourceTier(db, id, patch)),
      remove: (id: string) => done("tier", deleteResourceTier(db, id)),
    },
    flavors: {
      create: (flavor: NewContainerFlavor) => {
        checkNewId("flavor", flavor.id);
        const made = done("flavor", createFlavor(db, flavor));
        return shown(catalog.snapshot().flavors, made);
      },
      update: (id: string, patch: ContainerFlavorPatch) => {
        const changes = chosen(patch, entryIn(catalog.snapshot().flavors, id));
        const changed = done("flavor", updateFlavor(db, id, changes));
        return shown(catalog.snapshot().flavors, changed);
      },
      remove: (id: string) => done("flavor", deleteFlavor(db, id)),
    },
    addons: {
      create: (addon: NewContainerAddon) => {
        checkNewId("addon", addon.id);
        checkAddon(addon, addon.id);
        const made = done("addon", createAddon(db, addon));
        return shown(catalog.snapshot().addons, made);
      },
      update: (id: string, patch: ContainerAddonPatch) => {
        checkAddon(patch, id);
        const changes = chosen(patch, entryIn(catalog.snapshot().addons, id));
        const changed = done("addon", updateAddon(db, id, changes));
        return shown(catalog.snapshot().addons, changed);
      },
      remove: (id: string) => done("addon", deleteAddon(db, id)),
    },
  };
}

const entryIn = <Entry extends { id: string }>(entries: readonly Entry[], id: string): Entry | undefined =>
  entries.find((entry) => entry.id === id);

/** The entry as everybody sees it from now on. */
const shown = <Entry extends { id: string }>(entries: readonly Entry[], written: Entry): Entry =>
  entryIn(entries, written.id) ?? written;

/** A size sent back as it was answered is nobody's choice: it may be a measured one. */
const chosen = <Patch extends { imageSizeMb?: number | null | undefined }>(
  { imageSizeMb, ...rest }: Patch,
  answered: { imageSizeMb: number | null } | undefined,
) => (imageSizeMb === undefined || imageSizeMb === answered?.imageSizeMb ? rest : { ...rest, imageSizeMb });

type Refusal = "id_taken" | "not_found" | "is_default" | "in_use";

function refusal(kind: keyof typeof NOT_FOUND, reason: Refusal): ApiError {
  switch (reason) {
    case "not_found":
      return new ApiError(NOT_FOUND[kind], `No ${kind} has this id`);
    case "id_taken":
      return new ApiError("id_taken", `Another ${kind} has this id; choose another, or change that one with PATCH`);
    case "is_default":
      return new ApiError("in_use", `This ${kind} is the default; make another one the default first`);
    case "in_use": {
      const users = kind === "flavor" ? "A project or an addon" : "A project";
      return new ApiError("in_use", `${users} uses this ${kind}; change or delete what uses it first`);
    }
  }
}
