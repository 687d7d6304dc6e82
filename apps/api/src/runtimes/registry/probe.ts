import { parseImageReference, type RegistryClient } from "@agentpod/oci";

export interface RegistryProbeOptions {
  client: Pick<RegistryClient, "ping">;
  /** As REGISTRY_URL: `ghcr.io`, `127.0.0.1:5000/mirror`. */
  registryUrl: string;
  /** How long an answer is good for. */
  ttlMs?: number;
  /** Less than a readiness check waits. */
  timeoutMs?: number;
  now?: () => number;
}

/** Whether the registry answers; asked by all callers together, and once within `ttlMs`. */
export function createRegistryProbe(options: RegistryProbeOptions): () => Promise<boolean> {
  const { client, registryUrl, ttlMs = 15_000, timeoutMs = 1_500, now = Date.now } = options;
  // Without a dot or a port it is a namespace of Docker Hub, as for an engine.
  const { host } = parseImageReference(`${registryUrl}/image`);
  let last: { until: number; answer: Promise<boolean> } | undefined;

  return () => {
    if (last === undefined || last.until <= now()) {
      const answer = client.ping(host, { signal: AbortSignal.timeout(timeoutMs) }).then(({ ok }) => ok);
      last = { until: now() + ttlMs, answer };
    }
    return last.answer;
  };
}
