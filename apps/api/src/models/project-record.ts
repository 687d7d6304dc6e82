import type { Project, ProjectPort, ProjectStatus, RuntimeName } from "@agentpod/types";
import { isoTime, stringList } from "./row.ts";

export type DesiredState = "running" | "stopped" | "deleted";

/** A project with what only the control plane knows of it. `toProject` takes that away. */
export type ProjectRecord = Project & {
  desiredState: DesiredState;
  /** Grows with every change of the configuration. */
  generation: number;
  /** Sealed by the secret box; null until the first deployment. */
  gatewayToken: string | null;
  coolifyAppUuid: string | null;
};

/** A project's row as `selectProjects` gives it. */
export interface ProjectRow {
  id: string;
  name: string;
  slug: string;
  description: string | null;
  sourceUrl: string | null;
  status: ProjectStatus;
  storedStatus: string;
  statusCode: string | null;
  statusMessage: string | null;
  runtime: RuntimeName | null;
  containerTierId: string | null;
  resourceTierId: string | null;
  flavorId: string | null;
  addonIds: string | null;
  imageRef: string | null;
  /** JSON of ProjectPort[]. */
  ports: string;
  fqdnUrl: string | null;
  gatewayUrl: string | null;
  codeServerUrl: string | null;
  vncUrl: string | null;
  desiredState: DesiredState;
  generation: number;
  gatewayToken: string | null;
  coolifyAppUuid: string | null;
  createdAt: string;
  updatedAt: string;
}

/** To be completed by WHERE and the like, where the table's name is `p`. */
export const selectProjects = `
  SELECT p.id, p.name, p.slug, p.description, p.source_url AS "sourceUrl",
    p.current_status AS "status", p.status AS "storedStatus",
    p.status_code AS "statusCode", p.status_message AS "statusMessage", p.runtime,
    p.container_tier_id AS "containerTierId", p.resource_tier_id AS "resourceTierId",
    p.flavor_id AS "flavorId", p.addon_ids AS "addonIds", p.image_ref AS "imageRef",
    (SELECT json_group_array(
        json_object('name', a.name, 'containerPort', a.container_port, 'hostPort', a.port)
        ORDER BY a.container_port, a.name)
      FROM port_allocations a WHERE a.project_id = p.id) AS "ports",
    p.fqdn_url AS "fqdnUrl", p.gateway_url AS "gatewayUrl", p.code_server_url AS "codeServerUrl",
    p.vnc_url AS "vncUrl", p.desired_state AS "desiredState", p.generation,
    p.gateway_token AS "gatewayToken", p.coolify_app_uuid AS "coolifyAppUuid",
    p.created_at AS "createdAt", p.updated_at AS "updatedAt"
  FROM projects p`;

export function toRecord(row: ProjectRow): ProjectRecord {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    description: row.description,
    sourceUrl: row.sourceUrl,
    status: row.status,
    statusReason: statusReason(row),
    runtime: row.runtime,
    containerTierId: row.containerTierId,
    resourceTierId: row.resourceTierId ?? "starter",
    flavorId: row.flavorId ?? "fullstack",
    addonIds: stringList(row.addonIds),
    imageRef: row.imageRef,
    ports: row.ports === "[]" ? [] : (JSON.parse(row.ports) as ProjectPort[]),
    fqdnUrl: row.fqdnUrl,
    gatewayUrl: row.gatewayUrl,
    codeServerUrl: row.codeServerUrl,
    vncUrl: row.vncUrl,
    desiredState: row.desiredState,
    generation: row.generation,
    gatewayToken: row.gatewayToken,
    coolifyAppUuid: row.coolifyAppUuid,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  };
}

/** What the API may show, field by field, so that a new internal one stays inside. */
export function toProject(record: ProjectRecord): Project {
  return {
    id: record.id,
    name: record.name,
    slug: record.slug,
    description: record.description,
    sourceUrl: record.sourceUrl,
    status: record.status,
    statusReason: record.statusReason,
    runtime: record.runtime,
    containerTierId: record.containerTierId,
    resourceTierId: record.resourceTierId,
    flavorId: record.flavorId,
    addonIds: record.addonIds,
    imageRef: record.imageRef,
    ports: record.ports,
    fqdnUrl: record.fqdnUrl,
    gatewayUrl: record.gatewayUrl,
    codeServerUrl: record.codeServerUrl,
    vncUrl: record.vncUrl,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  };
}

function statusReason({ status, storedStatus, statusCode, statusMessage }: ProjectRow): Project["statusReason"] {
  if (statusCode !== null) return { code: statusCode, message: statusMessage ?? "" };
  if (status !== "error" || storedStatus === "error") return null;
  return { code: "legacy_status", message: `An older version left the project in the status "${storedStatus}".` };
}
