import type { Database } from "bun:sqlite";
import { replacementOf } from "./container-tier.ts";
import { stringList } from "./row.ts";

/** A project as any version of the database can tell it. */
export interface SurveyedProject {
  id: string;
  slug: string;
  name: string;
  status: string;
  runtime: string | null;
  containerTierId: string | null;
  resourceTierId: string;
  flavorId: string;
  addonIds: string[];
  url: string | null;
}

type Row = Omit<SurveyedProject, "resourceTierId" | "flavorId" | "addonIds"> & {
  resourceTierId: string | null;
  flavorId: string | null;
  addonIds: string | null;
};

/**
 * All projects, by slug; undefined where no migration ever made a table for them. `migrated` is false for a database from before the modular containers;
 * tier, flavor and addons are then what the migration will make of the old tier.
 */
export function surveyProjects(db: Database): { migrated: boolean; projects: SurveyedProject[] } | undefined {
  const info = db.query<{ name: string }, []>("SELECT name FROM pragma_table_xinfo('projects')").all();
  const there = new Set(info.map(({ name }) => name));
  if (there.size === 0) return undefined;
  const read = (column: string, otherwise = "NULL"): string => (there.has(column) ? column : otherwise);
  const rows = db
    .query<Row, []>(
      `SELECT id, slug, name, ${read("current_status", "status")} AS "status", ${read("runtime")} AS "runtime",
         container_tier_id AS "containerTierId", ${read("resource_tier_id")} AS "resourceTierId",
         ${read("flavor_id")} AS "flavorId", ${read("addon_ids")} AS "addonIds", fqdn_url AS "url"
       FROM projects ORDER BY slug`,
    )
    .all();
  return { migrated: there.has("resource_tier_id"), projects: rows.map(toSurveyed) };
}

function toSurveyed(row: Row): SurveyedProject {
  const planned = replacementOf(row.containerTierId);
  return {
    ...row,
    resourceTierId: row.resourceTierId ?? planned.resourceTierId,
    flavorId: row.flavorId ?? planned.flavorId,
    addonIds: row.addonIds === null ? planned.addonIds : stringList(row.addonIds),
  };
}
