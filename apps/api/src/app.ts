import type { Database } from "bun:sqlite";
import manifest from "../package.json" with { type: "json" };
import { createRevision } from "./db/revision.ts";
import { memoByBody, memoByPath } from "./http/answer-memo.ts";
import { type Answer, createFront, type Front, type Shortcut, type Shortcuts } from "./http/front.ts";
import { createGuard, type GuardOptions } from "./http/guard.ts";
import type { Logger } from "./http/logger.ts";
import { createLegacyNotice } from "./http/legacy-notice.ts";
import { createMemo } from "./http/memo.ts";
import { createNoRouteAnswer } from "./http/no-route.ts";
import { createErrorAnswer } from "./http/on-error.ts";
import { describeApi, type OpenApiDocument } from "./http/openapi.ts";
import { createRequestObserver } from "./http/request-observer.ts";
import { createRouter } from "./http/router.ts";
import { createSharedAnswer } from "./http/shared-answer.ts";
import { createSockets, type Sockets } from "./http/sockets.ts";
import { createTickets } from "./http/tickets.ts";
import { createAgentProxy } from "./proxy/agent-proxy.ts";
import type { RelayPace } from "./proxy/relay.ts";
import { addonRoutes } from "./routes/addons.ts";
import { containerTierRoutes } from "./routes/container-tiers.ts";
import { docsRoutes } from "./routes/docs.ts";
import { flavorRoutes } from "./routes/flavors.ts";
import { healthRoutes } from "./routes/health.ts";
import { imageRoutes } from "./routes/images.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { projectAgentRoutes } from "./routes/project-agent.ts";
import { eventRoutes, projectStreamRoutes } from "./routes/project-streams.ts";
import { projectRoutes } from "./routes/projects.ts";
import { providerRoutes } from "./routes/providers.ts";
import { runtimeRoutes } from "./routes/runtime.ts";
import { resourceTierRoutes } from "./routes/resource-tiers.ts";
import { ticketRoutes } from "./routes/tickets.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { AgentGateways } from "./services/agent-gateway.ts";
import { createCatalogAdmin } from "./services/catalog-admin.ts";
import { createCatalogReader } from "./services/catalog-reader.ts";
import type { Catalog } from "./services/catalog.ts";
import { createContainerTiers } from "./services/container-tiers.ts";
import type { EventLog } from "./services/event-log.ts";
import { createImageAvailabilities, type ImageInspector } from "./services/image-availability.ts";
import type { ResolverContext } from "./services/image-resolver.ts";
import { createImages } from "./services/images.ts";
import type { LegacyUsage } from "./services/legacy-usage.ts";
import type { Metrics } from "./services/metrics/metrics.ts";
import type { OperationRunner } from "./services/operation-runner.ts";
import type { ProjectManager } from "./services/project-manager.ts";
import type { ProjectReader } from "./services/project-reader.ts";
import type { Providers } from "./services/providers.ts";
import type { Reconciler } from "./services/reconciler.ts";
import { createReadiness } from "./services/readiness.ts";

export interface AppDeps {
  db: Database;
  catalog: Catalog;
  /** What resolutions depend on, now. */
  context: () => ResolverContext;
  projects: ProjectManager;
  reader: ProjectReader;
  gateways: AgentGateways;
  providers: Providers;
  runner: Pick<OperationRunner, "finished">;
  reconciler: Pick<Reconciler, "report" | "reconcile">;
  events: EventLog;
  runtime: Pick<Runtime, "name" | "probe" | "capabilities">;
  /** Absent where the runtime uses no images. */
  inspector?: ImageInspector | undefined;
  /** Absent where no registry is used. */
  registryAnswers?: (() => Promise<boolean>) | undefined;
  auth: GuardOptions;
  /** From then on the deprecated container tiers answer 410. */
  sunsetAt: Date;
  now: () => Date;
  logger: Logger;
  metrics: Pick<Metrics, "requests" | "streams" | "render">;
  /** Who still uses what is deprecated. */
  legacyUsage: Pick<LegacyUsage, "count" | "report">;
  /** How patient WebSockets to agents are. */
  agentPace?: Partial<RelayPace>;
}

export interface App {
  /** For `Bun.serve`. */
  fetch: Front;
  websocket: Sockets["websocket"];
  /** Calls the app without a server, as a client of this machine unless `init` has another Host. */
  request: (path: string, init?: RequestInit) => Promise<Response>;
  document: OpenApiDocument;
  /** Ends WebSockets, each with a word, and what is kept open to gateways. */
  close: () => void;
}

/** How long a resolution may be repeated; the catalog's changes show at once. */
const RESOLUTION_TTL_MS = 2000;

/** The whole API from its parts. Nothing is opened, read or dialled here. */
export function createApp(deps: AppDeps): App {
  const { db, catalog, context, runtime, events, projects, reader, runner, logger, metrics, legacyUsage } = deps;
  const lists = {
    tiers: createSharedAnswer(catalog.snapshot, ({ tiers }) => ({ tiers: [...tiers] })),
    flavors: createSharedAnswer(catalog.snapshot, ({ flavors }) => ({ flavors: [...flavors] })),
    addons: createSharedAnswer(catalog.snapshot, ({ addons }) => ({ addons: [...addons] })),
  };
  const admin = createCatalogAdmin(db, catalog);
  const entries = createCatalogReader(catalog);
  const images = createImages({
    context,
    runtime,
    availabilityOf: createImageAvailabilities({ inspector: deps.inspector }),
  });

  const app = createRouter();
  app.route(
    "/api/projects",
    projectRoutes({ projects, reader, finished: (id, signal) => runner.finished(id, signal) }),
  );
  app.route("/api/projects", projectStreamRoutes({ projects, reader, events, readers: metrics.streams }));
  const proxy = createAgentProxy({ gateways: deps.gateways, streams: metrics.streams, pace: deps.agentPace ?? {} });
  app.route("/api/projects", projectAgentRoutes({ proxy }));
  app.route("/api/events", eventRoutes({ events, readers: metrics.streams }));
  app.route(
    "/api/resource-tiers",
    resourceTierRoutes({ answerList: lists.tiers, reader: entries, admin: admin.tiers }),
  );
  app.route("/api/flavors", flavorRoutes({ answerList: lists.flavors, reader: entries, admin: admin.flavors }));
  app.route("/api/addons", addonRoutes({ answerList: lists.addons, reader: entries, admin: admin.addons }));
  app.route("/api/container-tiers", containerTierRoutes({ containerTiers: createContainerTiers(deps), legacyUsage }));
  app.route("/api/images", imageRoutes({ images }));
  app.route("/api/runtime", runtimeRoutes(deps));
  const tickets = createTickets(deps);
  app.route("/api/tickets", ticketRoutes({ tickets }));
  app.route("/api/providers", providerRoutes({ providers: deps.providers }));
  app.route("/", healthRoutes({ version: manifest.version, readiness: createReadiness(deps) }));
  app.route("/metrics", metricsRoutes({ metrics }));
  const document = describeApi(app, manifest.version);
  app.route("/", docsRoutes({ document }));

  const answerError = createErrorAnswer(logger);
  app.onError((error, c) => answerError(error, c.env.requestId));
  app.notFound(createNoRouteAnswer(app));

  const resolutions = createMemo({ version: catalog.snapshot, ttlMs: RESOLUTION_TTL_MS });
  const projectTexts = createMemo({ version: createRevision(db) });
  const read = (pattern: string, list: (headers: Headers, requestId: string) => Response): [string, Shortcut] => [
    pattern,
    {
      scope: "catalog:read",
      route: { pattern, writes: false },
      answer: ({ headers }, env) => list(headers, env.requestId),
    },
  ];
  const resolve = "/api/images/resolve";
  const shortcuts = (route: Answer): Shortcuts => ({
    GET: new Map([
      read("/api/resource-tiers", lists.tiers),
      read("/api/flavors", lists.flavors),
      read("/api/addons", lists.addons),
    ]),
    POST: new Map<string, Shortcut>([
      [
        resolve,
        {
          scope: "catalog:read",
          route: { pattern: resolve, writes: false },
          answer: memoByBody(resolutions, route),
        },
      ],
    ]),
    below: {
      path: "/api/projects/",
      scope: "projects:read",
      route: { pattern: "/api/projects/{id}", writes: false },
      answer: memoByPath(projectTexts, "/api/projects/", route),
    },
  });
  const fetch = createFront({
    app,
    guard: createGuard(deps.auth),
    tickets,
    answerError,
    observe: createRequestObserver({ requests: metrics.requests, logger }),
    legacyNotice: createLegacyNotice({ sunsetAt: deps.sunsetAt, usage: legacyUsage }),
    shortcuts,
  });
  const sockets = createSockets();
  const close = () => {
    sockets.closeAll();
    proxy.close();
  };
  return {
    fetch,
    websocket: sockets.websocket,
    close,
    document,
    request: (path, init) => requestOf(fetch, path, init),
  };
}

async function requestOf(fetch: Front, path: string, init?: RequestInit): Promise<Response> {
  const request = new Request(`http://127.0.0.1${path}`, init);
  // A server gets the header from the client.
  if (!request.headers.has("host")) request.headers.set("host", "127.0.0.1");
  return await fetch(request);
}
