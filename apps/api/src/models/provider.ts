import type { Database } from "bun:sqlite";
import { catalogTable, type EntryPatch, type NewEntry } from "./catalog-table.ts";
import type { Result } from "./result.ts";
import { isoTime } from "./row.ts";

/** A service that answers language model requests. */
export interface Provider {
  id: string;
  name: string;
  /** The protocol it speaks: `anthropic`, `openai`, `google`, `openai-compatible`. */
  type: string;
  baseUrl: string | null;
  isEnabled: boolean;
  isDefault: boolean;
  sortOrder: number;
  createdAt: string;
  updatedAt: string;
}
export type NewProvider = NewEntry<Provider>;
export type ProviderPatch = EntryPatch<Provider>;

const providers = catalogTable<Provider>({
  table: "providers",
  columns: {
    name: "name",
    type: "type",
    baseUrl: "base_url",
    isEnabled: "is_enabled",
    isDefault: "is_default",
    sortOrder: "sort_order",
  },
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    type: row.type,
    baseUrl: row.baseUrl,
    isEnabled: row.isEnabled === 1,
    isDefault: row.isDefault === 1,
    sortOrder: row.sortOrder,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  }),
  usedBy: [],
});

/** In their order: sort order, then id. */
export function getAllProviders(db: Database): Provider[] {
  return providers.where(db, "");
}

export function getEnabledProviders(db: Database): Provider[] {
  return providers.where(db, "WHERE is_enabled = 1");
}

export function getProviderById(db: Database, id: string): Provider | undefined {
  return providers.find(db, id);
}

export function getDefaultProvider(db: Database): Provider | undefined {
  return providers.findDefault(db);
}

/** A provider made the default takes that from the one that was. */
export function createProvider(db: Database, provider: NewProvider): Result<Provider, "id_taken"> {
  return providers.create(db, provider);
}

/** `is_default`: the default stays one until another provider is made it. */
export function updateProvider(
  db: Database,
  id: string,
  patch: ProviderPatch,
): Result<Provider, "not_found" | "is_default"> {
  return providers.update(db, id, patch);
}

/** Its credentials go with it. */
export function deleteProvider(db: Database, id: string): Result<Provider, "not_found" | "is_default" | "in_use"> {
  return providers.remove(db, id);
}
