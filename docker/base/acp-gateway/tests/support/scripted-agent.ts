/**
 * A coding agent without a model: it speaks the Agent Client Protocol on stdio, and each line of a
 * prompt's text is a command (see scripted-agent/commands.ts). Flags: --auth (needs authenticate), --no-load,
 * --protocol N, --silent (never answers initialize), --exit N (before it answers), --hang METHOD (never answers
 * it, and ignores SIGTERM and the end of its stdin), --refuse-load, --same-fork, --images, --bare-load (its answer tells neither mode nor options). Flags may also stand, one
 * a line, in the file "flags" of SCRIPTED_AGENT_STATE, so that a test changes what the next process does.
 * Sessions are kept in the folder SCRIPTED_AGENT_STATE, so another process can load them.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "./scripted-agent/commands.ts";
import {
  historyOf,
  Refusal,
  remember,
  say,
  send,
  settle,
  stateFolder,
  update,
  type Json,
  type Session,
  type Turn,
} from "./scripted-agent/wire.ts";

const flagsFile = join(stateFolder ?? "", "flags");
const more = stateFolder && existsSync(flagsFile) ? readFileSync(flagsFile, "utf8").split("\n").filter(Boolean) : [];
const flags = [...process.argv.slice(2), ...more];
const valueOf = (flag: string) => flags[flags.indexOf(flag) + 1];
const has = (flag: string) => flags.includes(flag);
const sessions = new Map<string, Session>();
let authenticated = !has("--auth");

async function runPrompt(params: Json): Promise<Json> {
  const session = sessionOf(params);
  if (session.turn) throw new Refusal(-32600, "two prompts at once");
  const { promise, resolve: cancel } = Promise.withResolvers<void>();
  const turn: Turn = { cancelled: false, cancel, whenCancelled: promise };
  session.turn = turn;
  const blocks = params["prompt"] as { type: string; text?: string }[];
  const script = blocks.map(({ text }) => text ?? "").join("\n");
  remember(session, "user_message_chunk", script);
  try {
    for (const line of script.split("\n")) {
      if (turn.cancelled) return { stopReason: "cancelled" };
      const [name = "", ...args] = line.trim().split(" ");
      const command = COMMANDS[name];
      const rest = line.trim().slice(name.length + 1);
      const outcome = command ? await command({ session, turn, args, rest }) : await say(session, "Hello.");
      if (outcome) return outcome;
    }
    return { stopReason: turn.cancelled ? "cancelled" : "end_turn", usage: { totalTokens: 3 } };
  } finally {
    session.turn = null;
  }
}

function sessionOf(params: Json): Session {
  const session = sessions.get(String(params["sessionId"]));
  if (!session) throw new Refusal(-32002, "no such session");
  return session;
}

function describe({ mode, model }: Session): Json {
  const option = (value: string) => ({ value, name: value });
  return {
    modes: {
      currentModeId: mode,
      availableModes: [
        { id: "ask", name: "Ask" },
        { id: "auto", name: "Auto" },
      ],
    },
    configOptions: [
      {
        id: "model",
        name: "Model",
        category: "model",
        type: "select",
        currentValue: model,
        options: [option("small"), option("large")],
      },
    ],
  };
}

function open(id: string, params: Json): Session {
  const session: Session = {
    id,
    cwd: String(params["cwd"]),
    mcpServers: (params["mcpServers"] ?? []) as { name: string }[],
    mode: "auto",
    model: "small",
    turn: null,
  };
  sessions.set(id, session);
  return session;
}

const METHODS: Record<string, (params: Json) => Promise<Json> | Json> = {
  async initialize() {
    if (has("--silent")) await new Promise(() => {});
    if (has("--exit")) process.exit(Number(valueOf("--exit")));
    return {
      protocolVersion: Number(has("--protocol") ? valueOf("--protocol") : 1),
      agentInfo: { name: "scripted", version: "1.0.0" },
      agentCapabilities: {
        loadSession: !has("--no-load"),
        promptCapabilities: { image: has("--images"), embeddedContext: true },
        sessionCapabilities: { list: {}, ...(has("--no-load") ? {} : { resume: {} }), close: {}, fork: {} },
      },
      authMethods: has("--auth")
        ? [
            { id: "key", name: "Key" },
            { id: "login", name: "Login", type: "terminal", args: ["--login"], env: { LOGIN: "1" } },
          ]
        : [],
    };
  },
  authenticate(params) {
    if (params["methodId"] !== "key") throw new Refusal(-32602, "no such method");
    authenticated = true;
    return {};
  },
  logout() {
    authenticated = false;
    return {};
  },
  async "session/new"(params) {
    if (!authenticated) throw new Refusal(-32000, "Authentication required");
    const session = open(`agent-${crypto.randomUUID()}`, params);
    if (stateFolder) writeFileSync(historyOf(session.id), "");
    await update(session, {
      sessionUpdate: "available_commands_update",
      availableCommands: [{ name: "help", description: "Helps" }],
    });
    return { sessionId: session.id, ...describe(session) };
  },
  async "session/load"(params) {
    if (has("--no-load")) throw new Refusal(-32601, "no such method");
    if (has("--refuse-load")) throw new Refusal(-32002, "the session is lost");
    const id = String(params["sessionId"]);
    if (!stateFolder || !existsSync(historyOf(id))) throw new Refusal(-32002, "no such session");
    const session = open(id, params);
    for (const line of readFileSync(historyOf(id), "utf8").split("\n").filter(Boolean)) {
      const { kind, text } = JSON.parse(line) as { kind: string; text: string };
      await update(session, { sessionUpdate: kind, content: { type: "text", text } });
    }
    return has("--bare-load") ? {} : describe(session);
  },
  "session/resume"(params) {
    return describe(open(String(params["sessionId"]), params));
  },
  "session/fork"(params) {
    if (has("--same-fork")) return { sessionId: params["sessionId"] };
    const session = open(`agent-${crypto.randomUUID()}`, params);
    if (stateFolder) writeFileSync(historyOf(session.id), readFileSync(historyOf(String(params["sessionId"]))));
    return { sessionId: session.id, ...describe(session) };
  },
  "session/list": () => ({ sessions: [...sessions.values()].map(({ id, cwd }) => ({ sessionId: id, cwd })) }),
  "session/close"(params) {
    sessions.delete(String(params["sessionId"]));
    return {};
  },
  async "session/set_mode"(params) {
    const session = sessionOf(params);
    session.mode = String(params["modeId"]);
    await update(session, { sessionUpdate: "current_mode_update", currentModeId: session.mode });
    return {};
  },
  "session/set_config_option"(params) {
    const session = sessionOf(params);
    session.model = String(params["value"]);
    return describe(session);
  },
  "session/prompt": runPrompt,
  "x/echo": (params) => ({ echo: params }),
};

/** As badly as a process can: it must be killed. */
function hangForever(): Promise<never> {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 60_000);
  return new Promise(() => {});
}

async function answer(id: unknown, method: string, params: Json): Promise<void> {
  try {
    const handler = METHODS[method];
    if (has("--hang") && valueOf("--hang") === method) await hangForever();
    if (!handler) throw new Refusal(-32601, `no method ${method}`);
    await send({ id, result: await handler(params) });
  } catch (error) {
    const code = error instanceof Refusal ? error.code : -32603;
    await send({ id, error: { code, message: error instanceof Error ? error.message : String(error) } });
  }
}

function take(line: string): void {
  const message = JSON.parse(line) as {
    id?: number;
    method?: string;
    params?: Json;
    result?: Json;
    error?: { message: string };
  };
  if (message.method === undefined) {
    settle(message);
  } else if (message.id !== undefined) {
    void answer(message.id, message.method, message.params ?? {});
  } else if (message.method === "session/cancel") {
    const turn = sessions.get(String(message.params?.["sessionId"]))?.turn;
    if (turn) {
      turn.cancelled = true;
      turn.cancel();
    }
  }
}

if (has("--login")) {
  process.stdout.write("logged in\n");
} else {
  for await (const line of console) if (line !== "") take(line);
}
