/**
 * On a request: lost_answer (done, then the connection is cut), lost_request (cut before anything is done),
 * rate_limited, server_error, slow, html_redirect, api_disabled, address_not_allowed.
 * On a trigger of a deployment: queue_full, phantom_deployment, already_queued (never with force).
 * On a deployment's job, matched by the request that queued it: stuck_deployment (until cancelled),
 * failed_deployment, unhealthy_flicker, crash_after_finished.
 * On a deletion: deletion_lag. While it is there: server_unreachable (`times` counts deployments), proxy_none
 * (`times` counts changes of domains).
 */
export type FaultKind =
  | "lost_answer"
  | "lost_request"
  | "rate_limited"
  | "server_error"
  | "slow"
  | "html_redirect"
  | "api_disabled"
  | "address_not_allowed"
  | "queue_full"
  | "phantom_deployment"
  | "already_queued"
  | "stuck_deployment"
  | "failed_deployment"
  | "unhealthy_flicker"
  | "crash_after_finished"
  | "deletion_lag"
  | "server_unreachable"
  | "proxy_none";

export interface Fault {
  kind: FaultKind;
  /** `path` is tried on the path with and without `/api/v1`, never on the query. */
  match?: { method?: string; path?: RegExp };
  /** How often it strikes before it is gone; without it, until removed. */
  times?: number;
  /** 0 to 1, tried on each request that matches. */
  probability?: number;
  /** Where `probability` draws from; Math.random when left out. */
  random?: () => number;
  /** slow, deletion_lag: how much longer. rate_limited: Retry-After. unhealthy_flicker: how long. */
  ms?: number;
  /** server_error: what was asked is done before the 500. */
  done?: boolean;
}

/** The request a fault is matched with. */
export interface Cause {
  method: string;
  path: string;
}

export function createFaults() {
  const active = new Set<Fault & { left: number }>();
  const matches = (fault: Fault, { method, path }: Cause) => {
    if (fault.match?.method && fault.match.method.toUpperCase() !== method) return false;
    return !fault.match?.path || tests(fault.match.path, path) || tests(fault.match.path, `/api/v1${path}`);
  };
  return {
    /** Returns what removes it. */
    add(fault: Fault): () => void {
      const entry = { ...fault, left: fault.times ?? Number.POSITIVE_INFINITY };
      active.add(entry);
      return () => active.delete(entry);
    },
    clear: () => active.clear(),
    /** The fault of this kind that strikes now, counted as used. */
    take(kind: FaultKind, cause: Cause): Fault | undefined {
      for (const fault of active) {
        if (fault.kind !== kind || !matches(fault, cause)) continue;
        if (fault.probability !== undefined && (fault.random ?? Math.random)() >= fault.probability) continue;
        fault.left--;
        if (fault.left <= 0) active.delete(fault);
        return fault;
      }
      return undefined;
    },
    /** Whether one of this kind is there, without using it. */
    holds: (kind: FaultKind) => active.size > 0 && [...active].some((fault) => fault.kind === kind),
  };
}

function tests(pattern: RegExp, path: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(path);
}
