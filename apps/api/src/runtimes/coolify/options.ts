import type { CoolifyClient } from "@agentpod/coolify";

/** Which application of Coolify the database has for a project. */
export interface ApplicationRecords {
  find: (projectId: string) => string | null;
  save: (projectId: string, appUuid: string | null) => void;
}

export interface CoolifyRuntimeOptions {
  client: CoolifyClient;
  /** Of this installation; applications marked with another one are never touched. */
  instanceId: string;
  /** Where applications are made: a project, one of its environments and a server, all of Coolify's. */
  projectUuid: string;
  environmentName: string;
  serverUuid: string;
  /** Needed where the server has more than one. */
  destinationUuid?: string | undefined;
  records: ApplicationRecords;
  /** Asks the registry what a tag means now, as `sha256:…`; null when that cannot be known. */
  digestOf?: ((imageRef: string, signal: AbortSignal) => Promise<string | null>) | undefined;
  /** Whether the server has GPUs; Coolify does not tell. */
  gpu: boolean;
  /** From the request for a deployment until its end, the wait in Coolify's queue included; a source has time of its own. */
  deployTimeoutMs: number;
  /** From a finished deployment until Coolify shows the sandbox as healthy, which it looks at about once a minute. */
  healthTimeoutMs: number;
  /** Between two looks at what Coolify is doing; at least 2000 where its rate limit counts. */
  pollMs: number;
  logger: {
    debug: (data: object, message: string) => void;
    info: (data: object, message: string) => void;
    warn: (data: object, message: string) => void;
  };
}
