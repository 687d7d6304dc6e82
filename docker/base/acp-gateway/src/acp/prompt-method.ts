import { type GatewayError } from "../gateway-error.ts";
import type { SessionManager } from "../types.ts";
import { type JsonObject, jsonObject, newPrompt, type Prompt } from "../wire/index.ts";
import { type Call, gatewayMeta, type Method, parseParams, sessionIdParams } from "./call.ts";
import type { Feed } from "./feed.ts";
import type { Emit } from "./lane.ts";
import { rpcErrorOfPrompt } from "./rpc-error.ts";

const promptParams = sessionIdParams.extend({ prompt: newPrompt.shape.content.unwrap(), _meta: jsonObject.nullish() });

/** Answers when the turn has ended, behind all of its updates. */
export const prompt: Method = async ({ sessions, log }, call) => {
  const { connection, params } = call;
  const { sessionId, prompt: content, _meta: meta } = parseParams(promptParams, params);
  const key = gatewayMeta(params)["idempotencyKey"];
  sessions.get(sessionId);
  const feed =
    connection.feed(sessionId) ??
    connection.attach(sessionId, { after: log.lastSeq(sessionId), replayTo: 0, pending: true });
  // The end of a short turn must not be read before it is known whose turn it is.
  const go = feed.hold();
  try {
    const { promptId, status } = await sessions.prompt(
      sessionId,
      { content, ...(meta ? { _meta: meta } : {}) },
      { caller: connection.caller, ...(typeof key === "string" ? { idempotencyKey: key } : {}) },
    );
    call.onCancel(() => void cancelPrompt(sessions, sessionId, promptId));
    const following = connection.feed(sessionId);
    // One that took over meanwhile was not held, and may have read the end already.
    const now = following === feed ? status : sessions.getPrompt(sessionId, promptId).status;
    if (following && (now === "queued" || now === "running")) {
      following.own(promptId, {
        settled: (ended, seq, emit) => answer(call, ended, seq, emit),
        failed: (error: GatewayError) => call.fail(error),
      });
    } else {
      answer(call, sessions.getPrompt(sessionId, promptId), log.lastSeq(sessionId));
    }
  } finally {
    go();
  }
  return undefined;
};

function answer(call: Call, prompt: Prompt, seq: number, emit?: Emit): void {
  const { status, stopReason, usage, promptId } = prompt;
  if (status === "finished" || status === "cancelled") {
    const result: JsonObject = {
      stopReason: status === "cancelled" ? "cancelled" : (stopReason ?? "end_turn"),
      ...(usage ? { usage } : {}),
      _meta: { gateway: { promptId, seq } },
    };
    call.reply(result, emit);
  } else {
    call.refuse(rpcErrorOfPrompt(prompt), emit);
  }
}

/** Cancels one prompt; that it may have ended meanwhile is no fault. */
async function cancelPrompt(sessions: SessionManager, sessionId: string, promptId: string): Promise<void> {
  await sessions.cancel(sessionId, { promptId }).catch(() => undefined);
}

/** `session/cancel`: the turn that runs, and what this client has waiting. */
export async function cancelTurn(sessions: SessionManager, sessionId: string, feed: Feed | null): Promise<void> {
  await feed?.free();
  const running = sessions.get(sessionId).runningPromptId;
  // By their ids, and the waiting ones first: the turn of somebody else that comes next is not meant.
  const meant = [...(feed?.owned() ?? [])].filter((promptId) => promptId !== running);
  if (running !== null) meant.push(running);
  for (const promptId of meant) await cancelPrompt(sessions, sessionId, promptId);
}
