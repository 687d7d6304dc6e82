import { join } from "node:path";
import { createAcpSurface } from "./acp/index.ts";
import { createAgentManager } from "./agent-manager.ts";
import { loadAgentEntries } from "./agent-registry.ts";
import { createApp } from "./app.ts";
import { createAuthHandler } from "./auth-handler.ts";
import { createFileHandler } from "./file-handler.ts";
import { createBodyReader } from "./http/body.ts";
import { createEventStreams } from "./http/event-streams.ts";
import { VERSION } from "./info.ts";
import { logLine } from "./log.ts";
import { countEvents } from "./metrics/event-counts.ts";
import { createGatewayMetrics } from "./metrics/gateway-metrics.ts";
import { createRequestMetrics } from "./metrics/requests.ts";
import { createAccessRoutes } from "./routes/access.ts";
import { createAgentCallRoutes } from "./routes/agent-calls.ts";
import { createAgentRoutes } from "./routes/agents.ts";
import { createApprovalRoutes } from "./routes/approvals.ts";
import { createEventRoutes } from "./routes/events.ts";
import { createFileSurface } from "./routes/files.ts";
import { createHealthRoutes } from "./routes/health.ts";
import { createObserveRoutes } from "./routes/observe.ts";
import { createPromptRoutes } from "./routes/prompts.ts";
import { createSessionRoutes } from "./routes/sessions.ts";
import { createTerminalSurface } from "./routes/terminals.ts";
import { createTranscriptRoutes } from "./routes/transcript.ts";
import { createSessionManager } from "./session-manager.ts";
import { openStorage } from "./storage/open-storage.ts";
import { createTerminalManager } from "./terminals/terminal-manager.ts";
import type { Activity, Environment, GatewayConfig } from "./types.ts";

const MiB = 1024 * 1024;
/** How long streams stay open for the last events when the gateway ends. */
const LAST_EVENTS_MS = 1500;

type GatewayDeps = {
  config: GatewayConfig;
  /** The gateway's own variables. What children get of them is decided where they are started. */
  environment: Environment;
  now: () => number;
};

/**
 * Puts the gateway together. `fetch` and `websocket` are for Bun.serve; `close` ends every stream,
 * session and process and then the log.
 * @throws ConfigError and errors of the log, with what to do about them
 */
export async function createGateway({ config, environment, now }: GatewayDeps) {
  const { limits, workspace, dataFolder } = config;
  const startedAt = new Date(now());
  let isClosing = false;

  const entries = await loadAgentEntries({ file: config.agentsFile, registry: config.registry });
  const { synchronous, ...retention } = config.log;
  const stored = openStorage({
    folder: dataFolder,
    synchronous,
    retention,
    report: logLine,
    now: () => new Date(now()),
  });
  const events = countEvents(stored.log);
  const { log } = events;
  const agents = createAgentManager({
    entries,
    environment,
    dataFolder,
    agentsFolder: config.agentsFolder,
    workspace,
    installAllowed: config.installAllowed,
    version: VERSION,
    limits,
    memoryBytesMax: config.agentMemoryBytes || null,
    room: () => log.room(),
    log: logLine,
    now,
  });
  const files = createFileHandler({
    roots: config.roots,
    protectedFolders: [join(workspace, ".agentpod"), dataFolder],
    limits,
  });
  const sessions = createSessionManager({ config, log, stores: stored.stores, agents, files, report: logLine, now });
  const terminals = createTerminalManager({ environment, files, agents, limits, now });

  const auth = createAuthHandler({ tokens: config.tokens, limits, now });
  const bodies = createBodyReader(limits.bodiesBytes);
  const streams = createEventStreams(limits);
  const requests = createRequestMetrics();
  const activity = (): Activity => {
    const terminalsOpen = terminals.openCount();
    const current = sessions.activity();
    return { ...current, terminalsOpen, idle: current.idle && terminalsOpen === 0 };
  };
  const acp = createAcpSurface({
    log,
    sessions,
    agents,
    bodies,
    version: VERSION,
    workspace,
    bodyBytes: limits.bodyBytes,
  });
  const surfaces = [
    {
      routes: [
        ...createHealthRoutes({ config, startedAt, log, isClosing: () => isClosing }),
        ...createObserveRoutes({ families: () => metrics(), activity, document: openApiDocument }),
        ...createAccessRoutes(auth),
        ...createAgentRoutes(agents),
        ...createSessionRoutes(sessions),
        ...createPromptRoutes(sessions),
        ...createApprovalRoutes(sessions),
        ...createAgentCallRoutes(sessions),
        ...createEventRoutes({ log, sessions, streams }),
        ...createTranscriptRoutes(sessions),
      ],
    },
    createFileSurface({ files, sessions, workspace }),
    createTerminalSurface({ terminals }),
    acp,
  ];
  const app = createApp({ config, surfaces, auth, bodies, metrics: requests, isClosing: () => isClosing });
  const metrics = createGatewayMetrics({
    counted: [requests.families, () => events.families()],
    agents,
    sessions,
    activity,
    log,
    readers: () => ({ rest: streams.count(), acp: acp.counts().readers }),
    sockets: app.sockets,
    app,
    startedAt,
  });

  return {
    fetch: app.fetch,
    websocket: app.sockets.websocket,
    requests: app.requests,
    /** More than any route takes: each refuses what is too much for it in a way that says so. */
    maxRequestBodySize: Math.max(limits.bodyBytes, limits.fileBytes) + MiB,
    routes: app.routes,
    sockets: surfaces.flatMap((surface) => surface.sockets ?? []),

    async close(): Promise<void> {
      if (isClosing) return;
      isClosing = true;
      // Readers are to see how their turns ended, but not to wait for an agent that does not.
      const ended = sessions.shutdown();
      await Promise.race([ended, Bun.sleep(LAST_EVENTS_MS)]);
      streams.closeAll();
      app.sockets.closeAll();
      await Promise.all([ended, ...surfaces.map((surface) => surface.close?.())]);
      await agents.close();
      log.close();
    },
  };
}

/** Not needed to start, so not read then. */
async function openApiDocument(): Promise<unknown> {
  return (await import("../openapi.json")).default;
}
