const KEPT_MAX = 50_000;

export interface ReceivedRequest {
  method: string;
  /** With the query. */
  path: string;
  /** The name of the token in `fake.tokens`, never the token. */
  token: string | null;
  /** Parsed when it was JSON, else the text. */
  body: unknown;
  /** null when the connection was cut instead. */
  status: number | null;
  atMs: number;
}

/** What was received, oldest first; only the newest 50,000 are kept. */
export function createRequestLog() {
  let kept: ReceivedRequest[] = [];
  return {
    add(request: ReceivedRequest) {
      if (kept.length >= KEPT_MAX * 2) kept = kept.slice(-KEPT_MAX);
      kept.push(request);
    },
    list: () => kept.slice(-KEPT_MAX),
  };
}
