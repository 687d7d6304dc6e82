import type { Database } from "bun:sqlite";
import type { ProjectStatus } from "@agentpod/types";
import { prepared } from "../db/prepared.ts";
import { type ProjectRecord, type ProjectRow, selectProjects, toRecord } from "./project-record.ts";

export interface ProjectFilter {
  status?: ProjectStatus | undefined;
  flavorId?: string | undefined;
  resourceTierId?: string | undefined;
  addonId?: string | undefined;
  /** Part of the name or slug; ASCII letters match in both cases. */
  search?: string | undefined;
}

export interface ProjectPage extends ProjectFilter {
  limit: number;
  /** The last project of the page before. */
  after?: { createdAt: string; id: string } | undefined;
}

/** Newest first; at most `limit`. A page costs the same wherever it starts. */
export function listProjects(db: Database, page: ProjectPage): ProjectRecord[] {
  const { sql, values } = listQuery(page);
  return prepared<ProjectRow>(db, sql).all(values).map(toRecord);
}

export function countProjects(db: Database, filter: ProjectFilter = {}): number {
  const { conditions, values } = filterConditions(filter);
  const sql = `SELECT count(*) AS "count" FROM projects p ${where(conditions)}`;
  return prepared<{ count: number }>(db, sql).get(values)?.count ?? 0;
}

/** One text for each set of filters: there are few enough of them to keep prepared. */
export function listQuery(page: ProjectPage): { sql: string; values: Record<string, string | number> } {
  const { conditions, values } = filterConditions(page);
  if (page.after !== undefined) {
    conditions.push(`(p.created_at, p.id) < (${cursorTime}, $afterId)`);
    values["afterId"] = page.after.id;
    values["afterCreatedAt"] = page.after.createdAt;
  }
  values["limit"] = page.limit;
  const sql = `${selectProjects} ${where(conditions)} ORDER BY p.created_at DESC, p.id DESC LIMIT $limit`;
  return { sql, values };
}

/** The time as stored, which for old rows is not the form that answers carry. */
const cursorTime = "coalesce((SELECT created_at FROM projects WHERE id = $afterId), $afterCreatedAt)";

function filterConditions({ status, flavorId, resourceTierId, addonId, search }: ProjectFilter) {
  const conditions: string[] = [];
  const values: Record<string, string | number> = {};
  const add = (condition: string, name: string, value: string | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values[name] = value;
  };
  add("p.current_status = $status", "status", status);
  add("p.flavor_id = $flavorId", "flavorId", flavorId);
  add("p.resource_tier_id = $resourceTierId", "resourceTierId", resourceTierId);
  add(`instr(p.addon_ids, '"' || $addonId || '"') > 0`, "addonId", addonId);
  const pattern = search === undefined || search === "" ? undefined : like(search);
  add(String.raw`(p.name LIKE $search ESCAPE '\' OR p.slug LIKE $search ESCAPE '\')`, "search", pattern);
  return { conditions, values };
}

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;

const like = (text: string): string => `%${text.replace(/[\\%_]/g, String.raw`\$&`)}%`;
