import type { Database } from "bun:sqlite";
import type { Project } from "@agentpod/types";
import { prepared } from "../db/prepared.ts";
import { type ProjectRecord, type ProjectRow, selectProjects, toRecord } from "./project-record.ts";
import { no, ok, type Result } from "./result.ts";
import { assignments, insertion, NOW } from "./row.ts";

export type { Project };
export { countProjects, listProjects, type ProjectFilter, type ProjectPage } from "./project-list.ts";
export { type ProjectRecord, toProject } from "./project-record.ts";

type Changeable = Omit<ProjectRecord, "id" | "slug" | "sourceUrl" | "ports" | "createdAt" | "updatedAt">;

/** Absent and `undefined` fields stay as they are. */
export type ProjectPatch = { [Field in keyof Changeable]?: Changeable[Field] | undefined };

export type NewProject = Omit<ProjectPatch, "name" | "resourceTierId" | "flavorId" | "addonIds"> &
  Pick<ProjectRecord, "name" | "slug" | "resourceTierId" | "flavorId" | "addonIds"> & {
    /** A UUIDv7 when absent. */
    id?: string | undefined;
    sourceUrl?: string | null | undefined;
    /** ISO 8601 UTC with milliseconds; now when absent. */
    createdAt?: string | undefined;
  };

const columns = {
  name: "name",
  description: "description",
  status: "status",
  statusCode: "status_code",
  statusMessage: "status_message",
  desiredState: "desired_state",
  runtime: "runtime",
  generation: "generation",
  containerTierId: "container_tier_id",
  resourceTierId: "resource_tier_id",
  flavorId: "flavor_id",
  addonIds: "addon_ids",
  imageRef: "image_ref",
  gatewayToken: "gateway_token",
  coolifyAppUuid: "coolify_app_uuid",
  fqdnUrl: "fqdn_url",
  gatewayUrl: "gateway_url",
  codeServerUrl: "code_server_url",
  vncUrl: "vnc_url",
};
const columnsOnce = {
  id: "id",
  slug: "slug",
  sourceUrl: "source_url",
  createdAt: "created_at",
  updatedAt: "updated_at",
};

/**
 * The new project is `creating` and wanted `running` unless it says otherwise.
 * Throws on an id that is taken: ids are never used twice.
 */
export function insertProject(db: Database, project: NewProject): Result<ProjectRecord, "slug_taken"> {
  const { id = Bun.randomUUIDv7(), createdAt = new Date().toISOString() } = project;
  const given = { ...withFlatReason(project), id, createdAt, updatedAt: createdAt };
  const { names, marks, values } = insertion({ ...columnsOnce, ...columns }, given);
  const sql = `INSERT INTO projects (${names}) VALUES (${marks}) ON CONFLICT (slug) DO NOTHING`;
  if (prepared(db, sql).run(values).changes === 0) return no("slug_taken");
  const record = getProjectById(db, id);
  if (record === undefined) throw new Error(`project ${id} vanished while it was made`);
  return ok(record);
}

export function getProjectById(db: Database, id: string): ProjectRecord | undefined {
  const row = prepared<ProjectRow, [string]>(db, byId).get(id);
  return row === null ? undefined : toRecord(row);
}

export function getProjectBySlug(db: Database, slug: string): ProjectRecord | undefined {
  const row = prepared<ProjectRow, [string]>(db, bySlug).get(slug);
  return row === null ? undefined : toRecord(row);
}

const byId = `${selectProjects} WHERE p.id = ?1`;
const bySlug = `${selectProjects} WHERE p.slug = ?1`;

/** The project after the change; undefined when there is none. */
export function updateProject(db: Database, id: string, patch: ProjectPatch): ProjectRecord | undefined {
  const { set, values } = assignments(columns, withFlatReason(patch));
  if (set !== "") {
    prepared(db, `UPDATE projects SET ${set}, updated_at = ${NOW} WHERE id = $id`).run({ ...values, id });
  }
  return getProjectById(db, id);
}

/** Its ports go with it; its operations and events stay. False when there is none. */
export function deleteProject(db: Database, id: string): boolean {
  return prepared(db, "DELETE FROM projects WHERE id = ?1").run(id).changes > 0;
}

/**
 * Makes every sandbox that was made so far an outdated one, which its next start makes anew. Nothing
 * that can be seen of a project changes. Generation 0 stays: nothing was made from it yet.
 */
export function raiseGenerations(db: Database): void {
  prepared(db, "UPDATE projects SET generation = generation + 1 WHERE generation > 0").run();
}

function withFlatReason<Patch extends ProjectPatch>({ statusReason, ...rest }: Patch) {
  if (statusReason === undefined) return rest;
  return { ...rest, statusCode: statusReason?.code ?? null, statusMessage: statusReason?.message ?? null };
}
