import { GatewayError } from "../gateway-error.ts";
import type { Caller, EventLog, SessionManager } from "../types.ts";
import type { JsonObject, JsonValue } from "../wire/index.ts";
import { createFeed, type Feed } from "./feed.ts";
import { idKey, notificationText, requestText, type RpcId } from "./json-rpc.ts";
import { createLane, type Emit, type Held, type Lane } from "./lane.ts";
import type { AcpLimits } from "./limits.ts";

/** A request of ours that waits for the client's answer. */
type Asked = { sessionId: string; answered(result: JsonValue | undefined): void };

/** How a client wants to be brought up to date when it attaches to a session. */
export type AttachOptions = {
  after: number;
  replayTo: number;
  /** Show what waits for an answer once that is done. */
  pending: boolean;
  onReplayed?: (emit: Emit) => void;
};

/** One client: what it said about itself, what waits for it, and which sessions it follows. */
export type Connection = ReturnType<typeof createConnection>;

type ConnectionDeps = { log: EventLog; sessions: SessionManager; limits: AcpLimits };

type ConnectionOptions = {
  id: string;
  caller: Caller;
  kind: "socket" | "http";
  /** Of `?agent=`. */
  agent: string | null;
  now: () => number;
  /** Offers what waits in this session for somebody's answer. */
  onPending(connection: Connection, sessionId: string, emit: Emit): void;
  /** What was asked in this session is no longer waited for. */
  onForget(connection: Connection, sessionId: string): void;
  onClose(connection: Connection): void;
};

export function createConnection({ log, sessions, limits }: ConnectionDeps, options: ConnectionOptions) {
  const { id, caller, kind, agent, now } = options;
  const held: Held = { bytes: 0 };
  const main = createLane(held);
  const lanes = new Map<string, Lane>();
  const asked = new Map<number, Asked>();
  let askedCount = 0;
  /** The transport's: a lane has something to read. */
  let onWork: (lane: Lane) => void = () => {};

  main.onWork = () => onWork(main);

  const connection = {
    id,
    caller,
    kind,
    agent,
    held,
    main,
    lanes,
    /** Of `initialize`; null before it. */
    client: null as JsonObject | null,
    /** Requests of the client that wait, with what cancels them. */
    running: new Map<string, { cancel(): void }>(),
    /** What `authenticate` said before there was a session, by agent. */
    credentials: new Map<string, { methodId: string; _meta?: JsonObject }>(),
    closed: null as GatewayError | null,
    usedAt: now(),

    /** Sets who is told that a lane has work. */
    serve(listener: (lane: Lane) => void): void {
      onWork = listener;
    },

    touch(): void {
      connection.usedAt = now();
    },

    /** The lane of a session, made when there is none. @throws GatewayError too_many_readers */
    lane(sessionId: string): Lane {
      const known = lanes.get(sessionId);
      if (known) return known;
      if (lanes.size >= limits.sessionStreams) {
        throw new GatewayError("too_many_readers", `a connection can follow ${limits.sessionStreams} sessions at most`);
      }
      const lane = createLane(held);
      lane.onWork = () => onWork(lane);
      lanes.set(sessionId, lane);
      return lane;
    },

    /** Queues a message; null: for the connection's own stream. */
    send(json: string, sessionId: string | null): void {
      if (connection.closed) return;
      laneFor(sessionId).push(json);
      if (held.bytes > limits.queuedBytes && held.bytes > json.length) {
        connection.close(new GatewayError("too_many_requests", "the client leaves too much unread"));
      }
    },

    feed(sessionId: string): Feed | null {
      return lanes.get(sessionId)?.feed ?? null;
    },

    /** Follows a session, from a place of the log on; ends what followed it before. */
    attach(sessionId: string, { after, replayTo, pending, onReplayed }: AttachOptions): Feed {
      const lane = connection.lane(sessionId);
      const previous = lane.feed;
      forget(sessionId);
      const feed = createFeed({
        log,
        sessions,
        sessionId,
        after,
        replayTo,
        onReplayed: (emit) => {
          onReplayed?.(emit);
          // What comes up later is offered as its event is read.
          if (pending) options.onPending(connection, sessionId, emit);
        },
        onPending: (emit) => options.onPending(connection, sessionId, emit),
        onWork: () => lane.onWork?.(),
        onEnd: () => connection.detach(sessionId),
        send: (json) => lane.push(json),
      });
      previous?.handOver(feed);
      previous?.close(new GatewayError("invalid_request", "the session was attached again"));
      lane.feed = feed;
      lane.onWork?.();
      return feed;
    },

    detach(sessionId: string): void {
      const lane = lanes.get(sessionId);
      if (!lane) return;
      lane.feed?.close(new GatewayError("session_closed", "the session was detached before the turn ended"));
      lane.feed = null;
      forget(sessionId);
      connection.sweep(sessionId);
    },

    /** Removes a lane that nobody reads, with nothing in it. */
    sweep(sessionId: string): void {
      const lane = lanes.get(sessionId);
      if (lane && !lane.feed && !lane.taken && lane.empty) lanes.delete(sessionId);
    },

    /** Asks the client. Returns what takes the question back. */
    ask(
      question: { sessionId: string; method: string; params: JsonObject },
      answered: Asked["answered"],
      emit: Emit,
    ): () => void {
      askedCount += 1;
      const requestId = askedCount;
      asked.set(requestId, { sessionId: question.sessionId, answered });
      emit(requestText(requestId, question.method, question.params));
      return () => {
        if (!asked.delete(requestId)) return;
        connection.send(notificationText("$/cancel_request", { requestId }), question.sessionId);
      };
    },

    /** The session an answer with this id belongs to. */
    askedOf(requestId: RpcId): string | undefined {
      return typeof requestId === "number" ? asked.get(requestId)?.sessionId : undefined;
    },

    answered(requestId: RpcId, result: JsonValue | undefined): void {
      if (typeof requestId !== "number") return;
      const request = asked.get(requestId);
      asked.delete(requestId);
      request?.answered(result);
    },

    cancelRequest(requestId: RpcId): void {
      connection.running.get(idKey(requestId))?.cancel();
    },

    /** Lets go of everything but the sessions themselves, which go on. */
    close(reason: GatewayError): void {
      if (connection.closed) return;
      connection.closed = reason;
      for (const lane of lanes.values()) {
        lane.feed?.close(reason);
        lane.clear();
      }
      main.clear();
      asked.clear();
      connection.running.clear();
      options.onClose(connection);
      // Last, so that a transport that looks finds the connection closed.
      main.onWork?.();
      for (const lane of lanes.values()) lane.onWork?.();
      lanes.clear();
    },
  };

  function laneFor(sessionId: string | null): Lane {
    if (sessionId === null) return main;
    return lanes.get(sessionId) ?? (lanes.size < limits.sessionStreams ? connection.lane(sessionId) : main);
  }

  function forget(sessionId: string): void {
    options.onForget(connection, sessionId);
    for (const [requestId, request] of asked) if (request.sessionId === sessionId) asked.delete(requestId);
  }

  return connection;
}
