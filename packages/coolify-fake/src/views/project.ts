import type { Environment, Project } from "../state.ts";
import { environmentsOf, type World } from "../world.ts";
import { TEAM } from "./server.ts";

/** An element of GET /projects. */
export const projectInList = ({ id, uuid, description, name }: Project) => ({ id, uuid, description, name });

/** GET /projects/{uuid}. */
export const projectAlone = (world: World, project: Project) => ({
  ...projectRow(project),
  environments: environmentsOf(world, project).map(environmentRow),
});

export const environmentInList = ({ id, uuid, name }: Environment) => ({ id, uuid, name });

export const environmentRow = ({ id, uuid, name, project, created_at, updated_at }: Environment) => ({
  id,
  name,
  project_id: project.id,
  created_at,
  updated_at,
  description: null,
  uuid,
});

export const projectRow = ({ id, uuid, name, description, created_at, updated_at }: Project) => ({
  id,
  uuid,
  name,
  description,
  team_id: TEAM.id,
  created_at,
  updated_at,
  icon_path: null,
  icon_storage_type: null,
  icon_s3_storage_id: null,
});

/** The team as it stands within a project. */
export const teamRow = ({ created_at, updated_at }: Project) => ({
  ...TEAM,
  created_at,
  updated_at,
  show_boarding: true,
  custom_server_limit: null,
  is_mcp_server_enabled: true,
});
