import type { Database } from "bun:sqlite";
import type { Logger } from "../http/logger.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { RetryPolicy } from "./backoff.ts";
import { createAgentGateways } from "./agent-gateway.ts";
import { createCatalog } from "./catalog.ts";
import { createEventLog } from "./event-log.ts";
import type { ResolverContext } from "./image-resolver.ts";
import type { ImageSizes } from "./image-sizes.ts";
import { createOperationRunner, type OperationRunnerDeps } from "./operation-runner.ts";
import { createPortAllocator, type PortRange } from "./port-allocator.ts";
import { createPortBook } from "./port-book.ts";
import { createProjectManager } from "./project-manager.ts";
import { createProjectReader } from "./project-reader.ts";
import { createProviders } from "./providers.ts";
import { type SandboxEnvironment, secretsOfEnvironment } from "./sandbox-environment.ts";
import { sandboxSpec } from "./sandbox-spec.ts";
import type { SecretBox } from "./secret-box.ts";

export interface ProjectServicesDeps {
  db: Database;
  runtime: Runtime;
  secretBox: SecretBox;
  /** Variables of every sandbox; a provider's credential goes before one of the same name. */
  sandboxEnv?: SandboxEnvironment;
  logger: Logger;
  /** What images are called and where projects are reached. */
  naming: Pick<ResolverContext, "registryUrl" | "registryOwner" | "imageVersion" | "wildcardDomain">;
  /** Loopback ports that sandboxes are published on. */
  portRange: PortRange;
  /** Operations at work at a time. */
  concurrency: number;
  retry: RetryPolicy;
  recordAgainMs?: number;
  sunsetAt: Date;
  now: () => Date;
  /** What parts of images were measured to add; without it the catalog tells its own figures. */
  imageSizes?: ImageSizes | undefined;
  observer?: OperationRunnerDeps["observer"];
  beforeStep?: OperationRunnerDeps["beforeStep"] | undefined;
}

/** The services around projects, put together on one database and one runtime. */
export function createProjectServices(deps: ProjectServicesDeps) {
  const { db, runtime, secretBox, logger, portRange, concurrency, retry, sunsetAt, now, beforeStep, recordAgainMs } =
    deps;
  const { sandboxEnv = {} } = deps;
  // Only these four: what else the caller's object holds stays out of the context.
  const { registryUrl, registryOwner, imageVersion, wildcardDomain } = deps.naming;
  const naming = {
    registryUrl,
    registryOwner,
    imageVersion,
    // Nothing routes public names to a bare process.
    wildcardDomain: runtime.name === "process" ? null : wildcardDomain,
  };
  const catalog = createCatalog(db, deps.imageSizes);
  const context = (): ResolverContext => ({ ...catalog.snapshot(), ...naming, capabilities: runtime.capabilities });
  const events = createEventLog(db);
  const providers = createProviders({ db, secretBox });
  const ports = createPortBook(db, createPortAllocator({ range: portRange }));
  const runner = createOperationRunner({
    db,
    runtime,
    events,
    logger,
    specOf: (project) =>
      sandboxSpec(project, context(), secretBox, runtime.capabilities, { ...sandboxEnv, ...providers.environment() }),
    reallocatePorts: (project) => projects.reallocatePorts(project),
    concurrency,
    retry,
    beforeStep,
    observer: deps.observer,
    ...(recordAgainMs === undefined ? {} : { recordAgainMs }),
  });
  const projects = createProjectManager({ db, runtime, runner, events, ports, secretBox, context, sunsetAt, now });
  const reader = createProjectReader({
    db,
    runtime,
    secretBox,
    secrets: () => [...providers.secrets(), ...secretsOfEnvironment(sandboxEnv)],
  });
  const gateways = createAgentGateways({ db, runtime, secretBox });
  return { catalog, context, events, runner, projects, providers, reader, gateways };
}
