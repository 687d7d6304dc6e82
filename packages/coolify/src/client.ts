import { createApplications } from "./applications.ts";
import { createDeployments } from "./deployments.ts";
import { createEnvs } from "./envs.ts";
import { createInstance } from "./instance.ts";
import { createPreflight } from "./preflight.ts";
import { createProjects } from "./projects.ts";
import { createStorages } from "./storages.ts";
import { type CoolifyOptions, createTransport } from "./transport.ts";

/**
 * A client for what AgentPod needs of Coolify's API. Every method throws only `CoolifyError`, and takes a `signal` in
 * its last argument. A rate limit is waited out, since nothing was done; a GET whose connection broke is sent a second
 * time; nothing else is repeated.
 */
export function createCoolifyClient(options: CoolifyOptions) {
  const transport = createTransport(options);
  const instance = createInstance(transport);
  return {
    ...instance,
    ...createPreflight(transport, instance),
    ...createProjects(transport),
    ...createApplications(transport),
    ...createDeployments(transport),
    ...createEnvs(transport),
    ...createStorages(transport),
  };
}

export type CoolifyClient = ReturnType<typeof createCoolifyClient>;
