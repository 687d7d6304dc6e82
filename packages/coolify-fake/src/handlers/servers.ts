import { created, ok, refuse, says } from "../answer.ts";
import { type Handler, seesSecrets, serverOf } from "../call.ts";
import { strictBody } from "../rules/body.ts";
import { checkFields, number, text } from "../rules/fields.ts";
import { destinationInList, serverAlone, serverInList } from "../views/server.ts";
import { addDestination, destinationsOf, timestamp } from "../world.ts";

const PATCHED = {
  name: text({ max: 255 }),
  proxy_type: text({ oneOf: ["traefik", "caddy", "none"] }),
  concurrent_builds: number({ integer: true, min: 1 }),
  deployment_queue_limit: number({ integer: true, min: 1 }),
  wildcard_domain: text({ nullable: true }),
};

export const listServers: Handler = (world, call) =>
  ok([...world.servers.values()].map((server) => serverInList(world, server, seesSecrets(call))));

export const getServer: Handler = (world, call) => ok(serverAlone(world, serverOf(world, call), seesSecrets(call)));

export const patchServer: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const server = serverOf(world, call);
  checkFields(body, PATCHED);
  if (typeof body["name"] === "string") server.name = body["name"];
  if (body["concurrent_builds"] !== undefined) server.concurrentBuilds = Number(body["concurrent_builds"]);
  if (body["deployment_queue_limit"] !== undefined) server.queueLimit = Number(body["deployment_queue_limit"]);
  if (body["wildcard_domain"] !== undefined) server.wildcardDomain = body["wildcard_domain"] as string | null;
  const proxy = body["proxy_type"];
  if (proxy !== undefined) server.proxyType = proxy === "none" ? "NONE" : proxy === "caddy" ? "CADDY" : "TRAEFIK";
  server.updated_at = timestamp();
  return created({ uuid: server.uuid });
};

export const serverResources: Handler = (world, call) => {
  const server = serverOf(world, call);
  const own = [...world.applications.values()].filter((application) => application.destination.server === server);
  return ok(
    own.map(({ id, uuid, columns, status, created_at, updated_at }) => ({
      id,
      uuid,
      name: columns.name,
      type: "application",
      created_at,
      updated_at,
      status,
    })),
  );
};

export const listDestinations: Handler = (world, call) =>
  ok(destinationsOf(world, serverOf(world, call)).map(destinationInList));

export const createDestination: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const server = serverOf(world, call);
  checkFields(body, { name: text({ max: 255 }), network: text({ max: 255 }) }, ["name", "network"]);
  return created(destinationInList(addDestination(world, server, String(body["name"]), String(body["network"]))));
};

export const deleteDestination: Handler = (world, call) => {
  const destination = world.destinations.get(call.params["uuid"] ?? "");
  if (!destination) refuse(says(404, "Destination not found."));
  const used = [...world.applications.values()].some((application) => application.destination === destination);
  if (used) refuse(says(400, "Destination has resources, so it cannot be deleted."));
  world.destinations.delete(destination.uuid);
  return says(200, "Deleted.");
};
