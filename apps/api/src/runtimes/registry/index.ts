import { createRegistryClient, type CredentialsOf } from "@agentpod/oci";
import { isLocalOnly } from "../docker/image-name.ts";
import type { ImageInspector } from "../image-inspector.ts";
import { createStoredCredentials } from "./credentials.ts";
import { createDigestLookup, type DigestLookup } from "./digest-lookup.ts";
import { createRegistryInspector } from "./inspector.ts";
import { createRegistryProbe } from "./probe.ts";

export interface RegistryOptions {
  /** As REGISTRY_URL. */
  registryUrl: string;
  /** Docker's `config.json`; null asks anonymously. */
  dockerConfigPath: string | null;
  /** Whose sizes are told: `linux/amd64` unless said otherwise. */
  platform?: string;
  logger: { debug: (data: object, message: string) => void; warn: (data: object, message: string) => void };
}

/** What the registry of the images can be asked. */
export interface Registry {
  inspector: ImageInspector;
  digestOf: DigestLookup;
  answers: () => Promise<boolean>;
  credentials: CredentialsOf;
}

const TIMEOUT_MS = 5_000;

/** The registry that images come from; null when they are those of this host. Dials nothing until it is asked. */
export function createRegistry(options: RegistryOptions): Registry | null {
  const { registryUrl, dockerConfigPath, logger, ...rest } = options;
  if (isLocalOnly(`${registryUrl}/`)) return null;
  const credentials = createStoredCredentials({ path: dockerConfigPath, logger });
  const client = createRegistryClient({ credentials, timeoutMs: TIMEOUT_MS });
  return {
    inspector: createRegistryInspector({ client, logger, ...rest }),
    digestOf: createDigestLookup({ client, logger }),
    answers: createRegistryProbe({ client, registryUrl }),
    credentials,
  };
}
