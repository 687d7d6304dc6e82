import { type Answer, NOT_FOUND, Refusal, SERVER_ERROR, says } from "./answer.ts";
import type { Cause } from "./faults.ts";
import { sentAway } from "./handlers/deployments.ts";
import { findRoute, type Match } from "./routes.ts";
import { tooMany } from "./throttle.ts";
import { can, type Token } from "./tokens.ts";
import type { World } from "./world.ts";

export interface Received extends Cause {
  query: URLSearchParams;
  headers: Headers;
  raw: string;
  token: Token | null;
}

const UNAUTHENTICATED = says(401, "Unauthenticated.");
const USE_POST: Answer = { ...says(405, "This endpoint has changed to a POST request."), headers: { allow: "POST" } };
const DISABLED: Answer = { status: 403, json: { success: true, message: "API is disabled." } };
const NOT_ALLOWED: Answer = { status: 403, json: { success: true, message: "You are not allowed to access the API." } };
const OUTSIDE_API = "/api/health";
const OUTSIDE_API_ANSWER: Answer = {
  status: 200,
  text: "OK",
  headers: { "x-ratelimit-limit": "1000", "x-ratelimit-remaining": "999" },
};
const RETRY_AFTER_MS = 1000;

/** The checks before a handler, in Coolify's order: route, token, rate, API switched on, ability. */
export function respond(world: World, received: Received): Answer {
  const { method, path, token } = received;
  if (path === OUTSIDE_API) return OUTSIDE_API_ANSWER;
  const route = findRoute(method, path);
  if (route === null) return limited(world, NOT_FOUND);
  const isPublic = route !== "use_post" && route.ability === null;
  if (!isPublic && token === null) return UNAUTHENTICATED;
  const refused = rateRefusal(world, received) ?? world.throttle.count(Date.now());
  if (refused) return refused;
  if (isPublic) return limited(world, handled(route, world, received));
  if (path !== "/enable" && (!world.apiEnabled || world.faults.take("api_disabled", received))) {
    return limited(world, DISABLED);
  }
  if (world.faults.take("address_not_allowed", received)) return limited(world, NOT_ALLOWED);
  if (route === "use_post") return limited(world, USE_POST);
  const { ability } = route;
  if (ability !== null && !can(token, ability)) {
    return limited(world, says(403, `Missing required permissions: ${ability}`));
  }
  const failing = world.faults.take("server_error", received);
  if (failing && !failing.done) return limited(world, SERVER_ERROR);
  if (world.faults.take("html_redirect", received)) return limited(world, sentAway(received.headers));
  const answer = handled(route, world, received);
  return limited(world, failing ? SERVER_ERROR : answer);
}

function rateRefusal(world: World, received: Received): Answer | null {
  const fault = world.faults.take("rate_limited", received);
  if (!fault) return null;
  const waitMs = fault.ms ?? RETRY_AFTER_MS;
  return tooMany(Math.ceil(waitMs / 1000), Date.now() + waitMs);
}

function handled({ handler, params }: Match, world: World, received: Received): Answer {
  try {
    return handler(world, { ...received, params });
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

const limited = ({ throttle }: World, answer: Answer): Answer => ({
  ...answer,
  headers: { ...throttle.headers(), ...answer.headers },
});
