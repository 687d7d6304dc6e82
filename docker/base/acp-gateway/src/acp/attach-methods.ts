import { z } from "zod";
import type { Session } from "../wire/index.ts";
import { type Call, type Method, type MethodDeps, parseParams, sessionIdParams } from "./call.ts";
import { describeSession } from "./describe.ts";
import type { Emit } from "./lane.ts";

/** Over HTTP the answer to a load is on another response than the replay, which gets this much of a start. */
const REPLAY_FIRST_MS = 20;

type History = { after: number; replayTo: number; pending: boolean };

const attachParams = sessionIdParams.extend({
  history: z.enum(["full", "pending_only", "none", "after"]).default("full"),
  /** With history `after`: seq of the last event the client has. */
  after: z.int().nonnegative().default(0),
});

/** Replays the session from the log, then answers, then follows it. */
export const load: Method = async (deps, call) => {
  const { sessionId } = parseParams(sessionIdParams, call.params);
  const session = await opened(deps, call, sessionId, "load");
  follow(deps, call, session, { after: 0, replayTo: deps.log.lastSeq(sessionId), pending: true });
  return undefined;
};

/** Follows the session from now on. */
export const resume: Method = async (deps, call) => {
  const { sessionId } = parseParams(sessionIdParams, call.params);
  const session = await opened(deps, call, sessionId, "resume");
  follow(deps, call, session, { after: deps.log.lastSeq(sessionId), replayTo: 0, pending: true });
  return undefined;
};

/** Follows a session without touching it, from where the client likes. */
export const attach: Method = async (deps, call) => {
  const { sessionId, history, after } = parseParams(attachParams, call.params);
  const session = deps.sessions.get(sessionId);
  const last = deps.log.lastSeq(sessionId);
  if (history === "full") follow(deps, call, session, { after: 0, replayTo: last, pending: true });
  else if (history === "after") follow(deps, call, session, { after, replayTo: last, pending: true });
  else follow(deps, call, session, { after: last, replayTo: 0, pending: history === "pending_only" });
  return undefined;
};

export const detach: Method = async (_deps, { connection, params }) => {
  connection.detach(parseParams(sessionIdParams, params).sessionId);
  return {};
};

/** A closed session is opened again; one whose process sleeps is woken by its next prompt. */
async function opened(
  { sessions }: MethodDeps,
  call: Call,
  sessionId: string,
  how: "load" | "resume",
): Promise<Session> {
  const session = sessions.get(sessionId);
  if (session.status !== "closed" || !call.connection.caller.scopes.has("prompt")) return session;
  return await sessions.open(sessionId, how);
}

function follow({ sessions }: MethodDeps, call: Call, { id }: Session, history: History): void {
  const { connection } = call;
  if (connection.closed) return;
  const reply = (emit?: Emit) => {
    try {
      call.reply({ sessionId: id, ...describeSession(sessions.get(id)) }, emit);
    } catch (error) {
      call.fail(error, emit);
    }
  };
  const lane = connection.lane(id);
  // Over HTTP nobody may be reading the session's stream: the answer must not wait for that.
  if (connection.kind === "http" && !lane.taken) {
    reply();
    connection.attach(id, history);
    return;
  }
  const apart = connection.kind === "http" && history.replayTo > 0;
  connection.attach(id, {
    ...history,
    onReplayed(emit) {
      if (apart) setTimeout(reply, REPLAY_FIRST_MS);
      else reply(emit);
    },
  });
}
