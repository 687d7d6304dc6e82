import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ask, nextId, Refusal, say, send, type Json, type Session, type Turn, update, write } from "./wire.ts";

type Context = { session: Session; turn: Turn; args: string[]; rest: string };
type Outcome = { stopReason: string } | void;

async function permission({ session }: Context, kind: string, path: string): Promise<boolean> {
  const toolCallId = `call_${nextId()}`;
  await update(session, {
    sessionUpdate: "tool_call",
    toolCallId,
    title: `${kind} ${path}`,
    kind,
    status: "pending",
    locations: [{ path: resolve(session.cwd, path) }],
  });
  const { outcome } = await ask("session/request_permission", {
    sessionId: session.id,
    toolCall: { toolCallId, title: `${kind} ${path}`, kind, locations: [{ path: resolve(session.cwd, path) }] },
    options: [
      { optionId: "once", name: "Allow once", kind: "allow_once" },
      { optionId: "always", name: "Allow always", kind: "allow_always" },
      { optionId: "no", name: "Reject", kind: "reject_once" },
    ],
  });
  const given = outcome as { outcome: string; optionId?: string };
  const allowed = given.outcome === "selected" && given.optionId !== "no";
  await update(session, { sessionUpdate: "tool_call_update", toolCallId, status: allowed ? "completed" : "failed" });
  await say(session, `[${given.outcome}${given.optionId ? ` ${given.optionId}` : ""}]`);
  return allowed;
}

async function chunks(session: Session, count: number, bytes: number): Promise<void> {
  const start = `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"${session.id}","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"`;
  for (let sent = 0; sent < count;) {
    let text = "";
    for (; sent < count && text.length < 65_536; sent++) {
      text += `${start}${String(sent).padEnd(Math.max(bytes - start.length - 6, 8), ".")}"}}}}\n`;
    }
    await write(text);
  }
}

export const COMMANDS: Record<string, (context: Context) => Promise<Outcome> | Outcome> = {
  /** text WORDS: one message chunk. */
  text: ({ session, rest }) => say(session, rest),
  think: ({ session, rest }) => say(session, rest, "agent_thought_chunk"),
  /** say COUNT [MS]: so many chunks, so far apart. */
  async say({ session, turn, args }) {
    for (let n = 0; n < Number(args[0]) && !turn.cancelled; n++) {
      await say(session, `${n} `);
      if (args[1]) await Bun.sleep(Number(args[1]));
    }
  },
  /** flood COUNT BYTES: lines of about so many bytes, as fast as the pipe takes them. */
  flood: ({ session, args }) => chunks(session, Number(args[0]), Number(args[1] ?? 250)),
  /** long BYTES: one update of this size. */
  long: ({ session, args }) =>
    update(session, {
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text: "x".repeat(Number(args[0])) },
    }),
  /** ask KIND PATH: asks for permission and says the outcome. */
  async ask(context) {
    await permission(context, context.args[0] ?? "edit", context.args[1] ?? "file.txt");
  },
  /** write PATH TEXT: writes a file of the folder; in mode `ask` only with permission. */
  async write(context) {
    const path = context.args[0] ?? "";
    if (context.session.mode === "ask" && !(await permission(context, "edit", path))) return;
    const file = resolve(context.session.cwd, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, context.rest.slice(path.length + 1));
  },
  /** call METHOD JSON: a request to the client with the session's id; says the answer. */
  async call({ session, args, rest }) {
    const params = JSON.parse(rest.slice(args[0]?.length ?? 0) || "{}") as Json;
    const answer = await ask(args[0] ?? "", { sessionId: session.id, ...params }).catch((error: Error) => ({
      error: error.message,
    }));
    await say(session, JSON.stringify(answer));
  },
  notify: ({ session, args }) => send({ method: args[0] ?? "", params: { sessionId: session.id, by: "scripted" } }),
  /** elicit MESSAGE: asks for a name in a form; says the answer. */
  async elicit({ session, rest }) {
    const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    const answer = await ask("elicitation/create", {
      sessionId: session.id,
      mode: "form",
      message: rest,
      requestedSchema,
    });
    await say(session, JSON.stringify(answer));
  },
  /** update JSON: an update as it is, of any kind. */
  update: ({ session, rest }) => update(session, JSON.parse(rest) as Json),
  /** raw TEXT: a line on stdout as it is. `$SESSION` is the session's id. */
  raw: ({ session, rest }) => write(`${rest.replaceAll("$SESSION", session.id)}\n`),
  /** after MS TEXT: the same, so much later and whatever goes on then. */
  after({ session, args, rest }) {
    const text = rest.slice((args[0]?.length ?? 0) + 1).replaceAll("$SESSION", session.id);
    setTimeout(() => void write(`${text}\n`), Number(args[0]));
  },
  sleep: ({ turn, args }) => Promise.race([Bun.sleep(Number(args[0])), turn.whenCancelled]),
  /** hang: waits until it is cancelled. */
  hang: ({ turn }) => turn.whenCancelled,
  /** deaf: hears no cancel either. */
  deaf: () => new Promise<void>(() => {}),
  async crash({ rest }) {
    process.stderr.write(`${rest || "crashed on purpose"}\n`);
    await Bun.sleep(20);
    process.kill(process.pid, "SIGKILL");
    await Bun.sleep(1000);
  },
  exit: ({ args }) => process.exit(Number(args[0] ?? 0)),
  error: ({ args, rest }) => {
    throw new Refusal(Number(args[0]), rest.slice((args[0]?.length ?? 0) + 1));
  },
  stop: ({ args }) => ({ stopReason: args[0] ?? "end_turn" }),
  env: ({ session, args }) => say(session, process.env[args[0] ?? ""] ?? "(unset)"),
  environ: ({ session }) => say(session, Object.keys(process.env).toSorted().join(" ")),
  cwd: ({ session }) => say(session, `${session.cwd} ${process.cwd()}`),
  /** settings: says the mode and the model. */
  settings: ({ session }) => say(session, `${session.mode} ${session.model}`),
  mcp: ({ session }) => say(session, session.mcpServers.map(({ name }) => name).join(" ")),
  pid: ({ session }) => say(session, String(process.pid)),
  /** fork: leaves behind a process that ignores SIGTERM; says its pid. */
  async fork({ session }) {
    const child = Bun.spawn(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    child.unref();
    await say(session, String(child.pid));
  },
};
