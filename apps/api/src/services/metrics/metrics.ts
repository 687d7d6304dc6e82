import type { Database } from "bun:sqlite";
import type { Logger } from "../../http/logger.ts";
import { createOperationObserver, type OperationObserver } from "../operation-observer.ts";
import { createDatabaseMetrics } from "./database.ts";
import { expose, EXPOSITION_TYPES, type Family, formatFor } from "./exposition.ts";
import { createOperationMetrics } from "./operations.ts";
import { createProcessMetrics } from "./process.ts";
import { createRequestMetrics, type RequestMetrics } from "./requests.ts";
import { createStreamMetrics, type StreamMetrics } from "./streams.ts";

export interface MetricsOptions {
  db: Database;
  logger: Logger;
  /** Labels of `agentpod_build_info`. */
  version: string;
  runtime: string;
}

/** What the control plane counts about itself, and how it is told. */
export interface Metrics {
  requests: Pick<RequestMetrics, "observe">;
  streams: Pick<StreamMetrics, "opened">;
  operations: OperationObserver;
  /** Everything, in the format that `accept` asks for. Works without the database, too. */
  render: (accept: string | null) => { contentType: string; text: string };
  close: () => void;
}

/** Counting happens in plain numbers; they become text only when somebody asks. */
export function createMetrics({ db, logger, version, runtime }: MetricsOptions): Metrics {
  const requests = createRequestMetrics();
  const streams = createStreamMetrics();
  const operations = createOperationMetrics();
  const ownProcess = createProcessMetrics();
  const database = createDatabaseMetrics(db);
  const buildInfo: Family = {
    name: "agentpod_build_info",
    help: "What runs: always 1",
    type: "gauge",
    samples: [{ labels: { version, runtime, bun: Bun.version }, value: 1 }],
  };

  function* families(): Generator<Family> {
    yield buildInfo;
    yield* requests.families();
    yield* operations.families();
    yield* streams.families();
    yield* database();
    yield* ownProcess.families();
  }

  return {
    requests,
    streams,
    operations: createOperationObserver({ metrics: operations, logger }),
    render(accept) {
      const format = formatFor(accept);
      return { contentType: EXPOSITION_TYPES[format], text: expose(families(), format) };
    },
    close: () => ownProcess.close(),
  };
}
