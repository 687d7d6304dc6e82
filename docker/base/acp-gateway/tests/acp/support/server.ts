import { join } from "node:path";
import { createAcpSurface } from "../../../src/acp/index.ts";
import { ACP_LIMITS, type AcpLimits } from "../../../src/acp/limits.ts";
import { createAgentManager } from "../../../src/agent-manager.ts";
import { loadConfig } from "../../../src/config.ts";
import { createBodyReader } from "../../../src/http/body.ts";
import { logLine } from "../../../src/log.ts";
import { createSessionManager } from "../../../src/session-manager.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { AgentEntry } from "../../../src/types.ts";
import { temporaryFolder } from "../../support/gateway.ts";
import { namedToken, serveApp } from "../../support/served-app.ts";
import { SCOPES_OF, type TokenName, TOKENS } from "./tokens.ts";

const BODY_BYTES = 16 * 1024 * 1024;
const AGENT = join(import.meta.dir, "../../support/scripted-agent.ts");
const SCRIPTED: AgentEntry = {
  id: "scripted",
  name: "Scripted",
  command: [process.execPath, AGENT],
  env: {},
  acceptsEnv: ["SCRIPTED_*"],
  process: "session",
  install: null,
  quirks: { advertiseFs: false, cancelsOnSecondPrompt: false, loads: true, resumes: true },
};

/** It makes no session before `authenticate`. */
const LOCKED: AgentEntry = { ...SCRIPTED, id: "locked", command: [process.execPath, AGENT, "--auth"] };

/** `/acp` on a real port with limits of the test's choice, over real sessions of the scripted agent. */
export async function startAcpServer(limits: Partial<AcpLimits> = {}) {
  const folder = await temporaryFolder();
  const { log, stores } = openStorage({
    folder: folder.path,
    synchronous: "off",
    retention: { bytes: 2 ** 32, sessionBytes: 2 ** 32, days: 0 },
    report: logLine,
    now: () => new Date(),
  });
  const agents = createAgentManager({
    entries: [SCRIPTED, LOCKED, { ...SCRIPTED, id: "absent", command: ["no-such-program"] }],
    environment: { PATH: process.env["PATH"], HOME: folder.path },
    dataFolder: folder.path,
    agentsFolder: join(folder.path, "agents"),
    workspace: folder.path,
    installAllowed: false,
    version: "1.2.3",
    limits: { processes: 32, lineBytes: 32 * 1024 * 1024 },
    memoryBytesMax: null,
    room: () => log.room(),
    log: logLine,
    now: Date.now,
  });
  const sessions = createSessionManager({
    config: loadConfig({
      AGENTPOD_WORKSPACE: folder.path,
      AGENTPOD_GATEWAY_TOKEN: TOKENS.main,
      AGENTPOD_GATEWAY_DATA: join(folder.path, "data"),
    }),
    log,
    stores,
    agents,
    files: null,
    report: logLine,
    now: Date.now,
  });
  const acp = createAcpSurface({
    log,
    sessions,
    agents,
    bodies: createBodyReader(4 * BODY_BYTES),
    version: "1.2.3",
    workspace: folder.path,
    bodyBytes: BODY_BYTES,
    limits: { ...ACP_LIMITS, ...limits },
  });
  const tokens = Object.entries(TOKENS).map(([name, text]) => namedToken(name, text, SCOPES_OF[name as TokenName]));
  const served = serveApp([acp], { tokens });

  return {
    url: `${served.url}/acp`,
    folder: folder.path,
    agents,
    counts: acp.counts,
    clientsAttached: () => sessions.activity().clientsAttached,
    async [Symbol.asyncDispose]() {
      await acp.close();
      await sessions.shutdown();
      await agents.close();
      log.close();
      await served[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
