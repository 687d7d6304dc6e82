import { json, route } from "../http/route.ts";
import { EXPOSITION_TYPE, expose, type Family } from "../metrics/exposition.ts";
import type { Activity } from "../types.ts";
import { activity, jsonObject } from "../wire/index.ts";

type ObserveDeps = {
  families: () => Iterable<Family>;
  activity: () => Activity;
  /** The OpenAPI document. */
  document: () => Promise<unknown>;
};

/** What watches the gateway from outside, and what describes it. */
export function createObserveRoutes({ families, activity: current, document }: ObserveDeps) {
  return [
    route({
      method: "GET",
      path: "/metrics",
      scope: "read",
      summary: "Metrics for Prometheus",
      responses: { 200: { description: "The metrics", types: ["text/plain"] } },
      handler: () => new Response(expose(families()), { headers: { "content-type": EXPOSITION_TYPE } }),
    }),
    route({
      method: "GET",
      path: "/v1/activity",
      scope: "read",
      summary: "Whether anything is going on, for those who would stop the sandbox",
      responses: { 200: { description: "What is going on", schema: activity } },
      handler: () => json(current()),
    }),
    route({
      method: "GET",
      path: "/openapi.json",
      scope: null,
      summary: "This description",
      responses: { 200: { description: "An OpenAPI 3.1 document", schema: jsonObject } },
      handler: async () => json(await document()),
    }),
  ];
}
