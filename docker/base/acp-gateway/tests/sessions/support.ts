import { join } from "node:path";
import { type AgentManagerDeps, createAgentManager } from "../../src/agent-manager.ts";
import { createFileHandler } from "../../src/file-handler.ts";
import { createSessionManager } from "../../src/session-manager.ts";
import type { SessionManagerDeps } from "../../src/sessions/context.ts";
import { eventsOf } from "../../src/sessions/log-events.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { SCOPES, type AgentEntry, type Caller } from "../../src/types.ts";
import type { GatewayEvent, NewSession, PromptAnswer } from "../../src/wire/index.ts";
import { temporaryFolder } from "../support/gateway.ts";

const SCRIPTED = join(import.meta.dir, "../support/scripted-agent.ts");

export const caller: Caller = { name: "tester", scopes: new Set(SCOPES) };

/** The scripted agent under an id of its own. */
export function agent(id: string, flags: string[] = [], change: Partial<AgentEntry> = {}): AgentEntry {
  return {
    id,
    name: id,
    command: [process.execPath, SCRIPTED, ...flags],
    env: {},
    acceptsEnv: ["TEST_*"],
    process: "session",
    install: null,
    quirks: { advertiseFs: false, cancelsOnSecondPrompt: false, loads: true, resumes: true },
    ...change,
  };
}

type WorldOptions = {
  /** Absent: in the workspace. */
  dataFolder?: string;
  agents?: AgentEntry[];
  config?: Partial<Omit<SessionManagerDeps["config"], "limits">>;
  limits?: Partial<SessionManagerDeps["config"]["limits"] & { processes: number }>;
  timing?: SessionManagerDeps["timing"];
  agentTiming?: AgentManagerDeps["timing"];
  now?: () => number;
};

/** Sessions over real processes and a real database, in a folder of their own. */
export async function world(options: WorldOptions = {}) {
  const folder = await temporaryFolder();
  const workspace = join(folder.path, "workspace");
  await Bun.write(join(workspace, ".keep"), "");
  const state = join(folder.path, "state");
  await Bun.write(join(state, ".keep"), "");
  const reported: { message: string; fields: Record<string, unknown> }[] = [];
  const report = (message: string, fields: Record<string, unknown> = {}) => reported.push({ message, fields });
  const now = options.now ?? Date.now;

  function begin() {
    const dataFolder = options.dataFolder ?? join(workspace, ".agentpod/gateway");
    const storage = openStorage({
      folder: dataFolder,
      synchronous: "off",
      retention: { bytes: 1e9, sessionBytes: 1e9, days: 0 },
      report,
      now: () => new Date(),
    });
    const { log, stores } = storage;
    const entries = (options.agents ?? [agent("scripted")]).map((entry) => ({
      ...entry,
      env: { SCRIPTED_AGENT_STATE: state, ...entry.env },
    }));
    const agents = createAgentManager({
      entries,
      environment: { PATH: process.env["PATH"], HOME: folder.path },
      dataFolder,
      agentsFolder: join(dataFolder, "agents"),
      workspace,
      installAllowed: false,
      version: "0.0.0",
      limits: { processes: options.limits?.processes ?? 8, lineBytes: 32 * 1024 * 1024 },
      memoryBytesMax: null,
      room: () => log.room(),
      log: report,
      now,
      timing: { graceMs: 500, backoffMs: [10, 50], ...options.agentTiming },
    });
    const files = createFileHandler({
      roots: [workspace],
      protectedFolders: [join(workspace, ".agentpod")],
      limits: { fileBytes: 1024 * 1024 },
    });
    const manager = createSessionManager({
      config: {
        workspace,
        roots: [workspace],
        dataFolder,
        idleSeconds: 0,
        permissionTimeoutSeconds: 0,
        ...options.config,
        limits: { sessions: 16, queuedPrompts: 4, pendingPermissions: 4, ...options.limits },
      },
      log,
      stores,
      agents,
      files,
      report,
      now,
      timing: { cancelGraceMs: 3000, closeGraceMs: 1000, ...options.timing },
    });
    return { log, agents, manager };
  }

  let current = begin();
  async function stop(): Promise<void> {
    await current.manager.shutdown();
    await current.agents.close();
    current.log.close();
  }

  const world = {
    workspace,
    state,
    reported,
    get manager() {
      return current.manager;
    },
    get agents() {
      return current.agents;
    },
    get log() {
      return current.log;
    },
    /** Ends this gateway in order and begins another on the same folder. */
    async restart(): Promise<void> {
      await stop();
      current = begin();
    },

    create: (input: Partial<NewSession> = {}) => current.manager.create({ agent: "scripted", ...input }, caller),
    send: (id: string, text: string) => current.manager.prompt(id, { text }, { caller }),
    /** Sends a prompt and waits for its end. */
    async run(id: string, text: string): Promise<PromptAnswer> {
      const { promptId } = await world.send(id, text);
      return world.ended(id, promptId);
    },
    async ended(id: string, promptId: string): Promise<PromptAnswer> {
      const answer = await current.manager.waitForPrompt(id, promptId, 20_000);
      if (!("text" in answer)) throw new Error(`the prompt is still ${answer.status} after 20 s`);
      return answer;
    },

    async events(sessionId?: string, after = 0): Promise<GatewayEvent[]> {
      const events: GatewayEvent[] = [];
      for await (const event of eventsOf(current.log.reader({ ...(sessionId ? { sessionId } : {}), after }))) {
        events.push(event);
      }
      return events;
    },
    types: async (sessionId: string) => (await world.events(sessionId)).map(({ type }) => type),
    /** The first event of the type, once it is there. */
    async event(sessionId: string, type: string, where: (event: GatewayEvent) => boolean = () => true) {
      const deadline = Date.now() + 15_000;
      for (;;) {
        const found = (await world.events(sessionId)).find((event) => event.type === type && where(event));
        if (found) return found;
        if (Date.now() > deadline) {
          throw new Error(`no ${type} within 15 s; there are ${(await world.types(sessionId)).join(" ")}`);
        }
        await Bun.sleep(5);
      }
    },
    async pid(id: string): Promise<number> {
      const { text } = await world.run(id, "pid");
      return Number(text);
    },

    async [Symbol.asyncDispose]() {
      await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
  return world;
}
export type World = Awaited<ReturnType<typeof world>>;

/** The error a call ends with. */
export async function refusal(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error && "code" in error && "details" in error) {
      return error as Error & {
        code: string;
        details: { errors?: { path: string }[]; rpc?: { code: number; data?: unknown } };
      };
    }
    throw error;
  }
  throw new Error("it was not refused");
}
