import type { Environment } from "../state.ts";
import type { World } from "../world.ts";
import { applicationInList } from "./application.ts";
import { environmentRow } from "./project.ts";

/** GET /projects/{uuid}/{name or uuid of an environment}. */
export const environmentAlone = (world: World, environment: Environment, sensitive: boolean) => ({
  ...environmentRow(environment),
  applications: [...world.applications.values()]
    .filter((application) => application.environment === environment)
    .map((application) => applicationInList(world, application, sensitive)),
  mariadbs: [],
  mongodbs: [],
  mysqls: [],
  postgresqls: [],
  redis: [],
  services: [],
});
