import { GatewayError } from "../gateway-error.ts";
import type { EventLog, LogReader, SessionManager } from "../types.ts";
import type { JsonObject, Prompt } from "../wire/index.ts";
import { eachFrame, isGatewayEvent, updateMessage, updatePrefix } from "./frames.ts";
import { notificationText } from "./json-rpc.ts";
import type { Emit } from "./lane.ts";

type FeedOptions = {
  log: EventLog;
  sessions: SessionManager;
  sessionId: string;
  /** Seq of the last event the client has. */
  after: number;
  /** Replays up to this seq before `onReplayed`; 0: nothing to replay. */
  replayTo: number;
  onReplayed(emit: Emit): void;
  /** A permission or an elicitation came up. */
  onPending(emit: Emit): void;
  /** There may be something to pull. */
  onWork(): void;
  /** The session was deleted. */
  onEnd(): void;
  /** Gives a message outside of `pull`. */
  send: Emit;
};

/** What a prompt's sender is told when the turn has ended. */
type PromptOwner = { settled(prompt: Prompt, seq: number, emit: Emit): void; failed(error: GatewayError): void };

/** A client's cursor over a session: events of the log become messages when the client has room. */
export type Feed = {
  readonly sessionId: string;
  readonly replaying: boolean;
  pull(emit: Emit, maxBytes: number): boolean;
  /** The cursor stands still until the returned function is called. */
  hold(): () => void;
  /** Resolves when nothing holds it: every prompt that was sent has its id. */
  free(): Promise<void>;
  /** The turn of this prompt is this client's: it is answered, and not told what it said itself. */
  own(promptId: string, owner: PromptOwner): void;
  owned(): IterableIterator<string>;
  /** Gives the turns of this client to the feed that takes over. */
  handOver(to: Feed): void;
  close(reason: GatewayError): void;
};

const ENDS = new Set(["prompt_finished", "prompt_failed", "prompt_cancelled", "prompt_interrupted"]);
const decoder = new TextDecoder();

export function createFeed(options: FeedOptions): Feed {
  const { log, sessions, sessionId, after, replayTo } = options;
  const reader: LogReader = log.reader({ sessionId, after });
  const prefix = updatePrefix(sessionId);
  const stop = new AbortController();
  const release = sessions.attach(sessionId);
  const owners = new Map<string, PromptOwner>();
  /** Prompts this client sent: it knows what they say. */
  const said = new Set<string>();
  let replaying = true;
  let holds = 0;
  let onFree = Promise.withResolvers<void>();
  onFree.resolve();
  let armed = false;
  let closed = false;
  let emit: Emit = () => {};

  function visit(seq: string, type: string, data: string): void {
    if (isGatewayEvent(type)) gatewayEvent(Number(seq), type, data);
    else emit(updateMessage(prefix, seq, data));
  }

  function gatewayEvent(seq: number, type: string, text: string): void {
    if (ENDS.has(type)) return promptEnded(seq, text);
    if (type === "prompt_started") return promptStarted(seq, text);
    if (type === "gap") {
      const { data } = JSON.parse(text) as { data: JsonObject };
      return emit(notificationText("_gateway/session/gap", { sessionId, ...data }));
    }
    if (replaying) return undefined;
    if (type === "permission_requested" || type === "elicitation_requested") return options.onPending(emit);
    if (type === "agent_notification") {
      const { data } = JSON.parse(text) as { data?: { method?: unknown; params?: JsonObject } };
      if (typeof data?.method === "string") {
        emit(notificationText(data.method, { ...data.params, sessionId }));
      }
    }
  }

  function promptStarted(seq: number, text: string): void {
    const { promptId, data } = JSON.parse(text) as { promptId: string; data?: { content?: JsonObject[] } };
    if (!replaying && said.delete(promptId)) return;
    for (const content of data?.content ?? []) {
      const update = { sessionUpdate: "user_message_chunk", content };
      emit(notificationText("session/update", { sessionId, update, _meta: { gateway: { seq, promptId } } }));
    }
  }

  function promptEnded(seq: number, text: string): void {
    if (owners.size === 0) return;
    const { promptId } = JSON.parse(text) as { promptId: string };
    const owner = owners.get(promptId);
    if (!owner) return;
    owners.delete(promptId);
    said.delete(promptId);
    const prompt = promptOf(promptId);
    if (prompt instanceof GatewayError) owner.failed(prompt);
    else owner.settled(prompt, seq, emit);
  }

  /** The error where the session was deleted meanwhile. */
  function promptOf(promptId: string): Prompt | GatewayError {
    try {
      return sessions.getPrompt(sessionId, promptId);
    } catch (error) {
      if (error instanceof GatewayError) return error;
      throw error;
    }
  }

  function replayed(): void {
    replaying = false;
    options.onReplayed(emit);
    options.onPending(emit);
  }

  function arm(): void {
    if (armed || closed) return;
    armed = true;
    void waitForMore();
  }

  async function waitForMore(): Promise<void> {
    // An abort ends the wait, one way or the other.
    await reader.wait(stop.signal).catch(() => undefined);
    armed = false;
    if (!closed) options.onWork();
  }

  function close(reason: GatewayError): void {
    if (closed) return;
    closed = true;
    stop.abort();
    release();
    for (const [promptId, owner] of owners) if (!settledAlready(promptId, owner)) owner.failed(reason);
    owners.clear();
  }

  /** The turn has ended, though its event was not read yet. */
  function settledAlready(promptId: string, owner: PromptOwner): boolean {
    const prompt = promptOf(promptId);
    if (prompt instanceof GatewayError || prompt.status === "queued" || prompt.status === "running") return false;
    owner.settled(prompt, log.lastSeq(sessionId), options.send);
    return true;
  }

  return {
    sessionId,
    get replaying() {
      return replaying;
    },
    pull(to, maxBytes) {
      if (closed || holds > 0) return false;
      emit = to;
      const before = reader.position;
      const piece = replaying && before >= replayTo ? null : reader.next(maxBytes);
      if (piece) eachFrame(decoder.decode(piece), visit);
      if (replaying && (!piece || reader.position >= replayTo)) {
        replayed();
        return true;
      }
      if (piece) return true;
      if (reader.ended) {
        close(new GatewayError("session_not_found", "the session was deleted"));
        options.onEnd();
        return false;
      }
      if (reader.position > before) return true;
      arm();
      return false;
    },
    hold() {
      if (holds === 0) onFree = Promise.withResolvers<void>();
      holds += 1;
      return () => {
        holds -= 1;
        if (holds > 0) return;
        onFree.resolve();
        if (!closed) options.onWork();
      };
    },
    free: () => onFree.promise,
    own(promptId, owner) {
      owners.set(promptId, owner);
      said.add(promptId);
    },
    owned: () => owners.keys(),
    handOver(to) {
      for (const [promptId, owner] of owners) if (!settledAlready(promptId, owner)) to.own(promptId, owner);
      owners.clear();
    },
    close,
  };
}
