import type { Database } from "bun:sqlite";
import type { ContainerFlavorRecord } from "@agentpod/types";
import { catalogTable, type EntryPatch, type NewEntry } from "./catalog-table.ts";
import type { Result } from "./result.ts";
import { isoTime, stringList } from "./row.ts";

export type ContainerFlavor = ContainerFlavorRecord;
export type NewContainerFlavor = NewEntry<ContainerFlavor>;
export type ContainerFlavorPatch = EntryPatch<ContainerFlavor>;

const flavors = catalogTable<ContainerFlavor>({
  table: "container_flavors",
  columns: {
    name: "name",
    description: "description",
    languages: "languages",
    imageSizeMb: "image_size_mb",
    isDefault: "is_default",
    sortOrder: "sort_order",
  },
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    languages: stringList(row.languages),
    imageSizeMb: row.imageSizeMb,
    isDefault: row.isDefault === 1,
    sortOrder: row.sortOrder,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  }),
  usedBy: [
    "SELECT 1 FROM projects WHERE flavor_id = ?1 LIMIT 1",
    "SELECT 1 FROM container_addons WHERE requires_flavor = ?1 LIMIT 1",
  ],
});

/** In the catalog's order: sort order, then id. */
export function getAllFlavors(db: Database): ContainerFlavor[] {
  return flavors.where(db, "");
}

export function getFlavorById(db: Database, id: string): ContainerFlavor | undefined {
  return flavors.find(db, id);
}

export function getDefaultFlavor(db: Database): ContainerFlavor | undefined {
  return flavors.findDefault(db);
}

/** A flavor made the default takes that from the one that was. */
export function createFlavor(db: Database, flavor: NewContainerFlavor): Result<ContainerFlavor, "id_taken"> {
  return flavors.create(db, flavor);
}

/** `is_default`: the default stays one until another flavor is made it. */
export function updateFlavor(
  db: Database,
  id: string,
  patch: ContainerFlavorPatch,
): Result<ContainerFlavor, "not_found" | "is_default"> {
  return flavors.update(db, id, patch);
}

/** Gives the flavor that is gone. `in_use`: a project has it, or an addon works on it alone. */
export function deleteFlavor(db: Database, id: string): Result<ContainerFlavor, "not_found" | "is_default" | "in_use"> {
  return flavors.remove(db, id);
}
