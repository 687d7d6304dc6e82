const MIB = 1024 * 1024;

/** How much one client, and all of them, may hold. */
export type AcpLimits = {
  connections: number;
  /** Requests of one connection that wait for their answer. */
  requests: number;
  /** Requests of all connections, closed ones too, that the gateway or an agent is busy with. */
  allRequests: number;
  /** Sessions one connection is attached to or has a stream for. */
  sessionStreams: number;
  /** Of a connection's, a session's or a request's id. */
  idLength: number;
  /** Messages that wait for one client, beside what its cursors have not read. */
  queuedBytes: number;
  /** A socket that holds this much unsent is given nothing more. */
  socketBytes: number;
  /** A client that reads nothing for so long, while something waits for it, is closed. */
  stallMs: number;
  pingMs: number;
  /** A connection over HTTP that nobody uses for so long is ended. */
  idleMs: number;
};

export const ACP_LIMITS: AcpLimits = {
  connections: 512,
  requests: 256,
  allRequests: 4096,
  sessionStreams: 1024,
  idLength: 1024,
  queuedBytes: 64 * MIB,
  socketBytes: 4 * MIB,
  stallMs: 60_000,
  pingMs: 15_000,
  idleMs: 60_000,
};
