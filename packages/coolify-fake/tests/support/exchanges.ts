export interface Exchange {
  label: string;
  method: string;
  path: string;
  request_headers: Record<string, string>;
  request_json?: unknown;
  request_raw?: string;
  status: number;
  response_headers: Record<string, string>;
  response_json?: unknown;
  response_text?: string;
  /** Where it stands in the file, from 1. */
  line: number;
}

/** What was seen beside the exchanges, after the one on line `after`. */
export interface Observation {
  label: string;
  after: number;
  /** Seconds, then the deployment's status, then the application's. */
  transitions?: [number, string | number | null, unknown][];
  env?: string[];
  image?: string;
  volumes?: string;
  containers?: string;
  container_names?: string;
  log_lines?: string[];
}

/** A session with a real Coolify 4.3.10, in order. */
export const exchanges: readonly Exchange[] = (await lines("../../../coolify/tests/exchanges.jsonl")).map(
  (text, index) => ({ ...(JSON.parse(text) as Omit<Exchange, "line">), line: index + 1 }),
);

export const observations: readonly Observation[] = (await lines("../observations.jsonl")).map(
  (text) => JSON.parse(text) as Observation,
);

async function lines(path: string): Promise<string[]> {
  return (await Bun.file(new URL(path, import.meta.url)).text()).trimEnd().split("\n");
}
