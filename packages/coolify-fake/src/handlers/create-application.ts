import { created, invalid, refuse, says } from "../answer.ts";
import type { Handler } from "../call.ts";
import { newColumns, newSettings } from "../columns.ts";
import { queueDeployment } from "../deploy/queue.ts";
import { CREATE_FIELDS } from "../rules/application-fields.ts";
import { type Body, strictBody } from "../rules/body.ts";
import { generatedDomain, readDomains, refuseConflicts } from "../rules/domains.ts";
import { checkFields, isTrue } from "../rules/fields.ts";
import { createdImage } from "../rules/image.ts";
import { generatedLabels } from "../rules/labels.ts";
import type { Application, Destination, Environment, Server } from "../state.ts";
import { databaseTime, destinationsOf, environmentsOf, stamps, type World } from "../world.ts";
import { refusePlainLabels, storeFields } from "./store-fields.ts";
import { addTag } from "./tags.ts";

/** POST /applications/dockerimage. */
export const createApplication: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const place = ["project_uuid", "server_uuid"];
  const { docker_registry_image_name: name, ...rest } = body;
  checkFields(name === undefined || name === null ? rest : body, CREATE_FIELDS, place);
  const environment = environmentFor(world, body);
  const server = world.servers.get(String(body["server_uuid"])) ?? refuse(says(404, "Server not found."));
  const destination = destinationFor(world, server, body);
  if (typeof name !== "string") refuse(invalid({ docker_registry_image_name: ["This field is required."] }));
  refusePlainLabels(body);
  const domains = readDomains(body["domains"]);
  if (domains.invalid.length > 0) refuse(invalid({ domains: domains.invalid.map((item) => `Invalid URL: ${item}`) }));
  const image = createdImage(name, (body["docker_registry_image_tag"] ?? null) as string | null);
  if (!isTrue(body["force_domain_override"])) refuseConflicts(world, domains.items, null);

  const application = newApplication(world, environment, destination);
  const { columns, uuid } = application;
  storeFields(application, body);
  Object.assign(columns, image);
  columns.fqdn = domains.fqdn;
  if (domains.fqdn === null && (body["autogenerate_domain"] === undefined || isTrue(body["autogenerate_domain"]))) {
    columns.fqdn = generatedDomain(server, uuid);
  }
  columns.custom_labels = generatedLabels(application);
  for (const tag of Array.isArray(body["tags"]) ? body["tags"] : []) addTag(world, application, String(tag));
  world.applications.set(uuid, application);
  if (isTrue(body["instant_deploy"])) queueDeployment(world, application, { cause: call });
  return created({ uuid, domains: columns.fqdn });
};

function environmentFor(world: World, body: Body): Environment {
  const { environment_uuid: uuid, environment_name: name } = body;
  if (!uuid && !name) {
    refuse(says(422, "You need to provide at least one of environment_name or environment_uuid."));
  }
  const project = world.projects.get(String(body["project_uuid"])) ?? refuse(says(404, "Project not found."));
  const found = environmentsOf(world, project).find((environment) =>
    uuid ? environment.uuid === uuid : environment.name === name,
  );
  return found ?? refuse(says(404, "Environment not found."));
}

/** With one destination it is not asked for, and a wrong one is ignored. */
function destinationFor(world: World, server: Server, body: Body): Destination {
  const [first, ...others] = destinationsOf(world, server);
  if (!first) refuse(says(400, "Server has no destinations."));
  if (others.length === 0) return first;
  if (body["destination_uuid"] === undefined) {
    refuse(says(400, "Server has multiple destinations and you do not set destination_uuid."));
  }
  const reason = "Provided destination_uuid does not belong to the specified server.";
  const chosen = [first, ...others].find(({ uuid }) => uuid === body["destination_uuid"]);
  return chosen ?? refuse(invalid({ destination_uuid: reason }));
}

function newApplication(world: World, environment: Environment, destination: Destination): Application {
  const { ids } = world;
  const secret = () => ids.letters(40);
  return {
    id: ids.next("application"),
    uuid: ids.uuid(),
    columns: {
      ...newColumns(),
      name: `docker-image-${ids.uuid()}`,
      config_hash: ids.hex(32),
      last_online_at: databaseTime(),
      manual_webhook_secret_bitbucket: secret(),
      manual_webhook_secret_gitea: secret(),
      manual_webhook_secret_github: secret(),
      manual_webhook_secret_gitlab: secret(),
    },
    settings: newSettings(),
    status: "exited:unhealthy",
    labelsAreBase64: false,
    environment,
    destination,
    tags: [],
    variables: [],
    volumes: [],
    files: [],
    deployments: [],
    container: null,
    deleting: false,
    stops: 0,
    ...stamps(),
  };
}
