import { join } from "node:path";
import type { Config, Environment } from "../config.ts";
import type { Logger } from "../http/logger.ts";
import { connectDocker } from "./docker/connect.ts";
import { createDockerRuntime } from "./docker/index.ts";
import { createScriptBuilder } from "./docker/build-image.ts";
import { createProcessRuntime } from "./process/index.ts";
import type { RuntimeChoices } from "./select.ts";

export interface RuntimeChoicesOptions {
  config: Config;
  env: Environment;
  repoRoot: string;
  instanceId: string;
  logger: Logger;
  /** What the process runtime starts; the gateway of the checkout unless a test brings its own. */
  gatewayCommand?: readonly string[];
}

/** How each runtime is made from the configuration; nothing is dialled until one is chosen. */
export function createRuntimeChoices({
  config,
  env,
  repoRoot,
  instanceId,
  logger,
  gatewayCommand,
}: RuntimeChoicesOptions): RuntimeChoices {
  return {
    docker: () =>
      createDockerRuntime({
        docker: connectDocker(config.dockerHost),
        instanceId,
        wildcardDomain: config.wildcardDomain,
        healthTimeoutMs: 60_000,
        stopTimeoutSeconds: 10,
        buildImage: createScriptBuilder({
          repoRoot,
          env: {
            ...networkEnvironment(env),
            REGISTRY_URL: config.registryUrl,
            REGISTRY_OWNER: config.registryOwner,
            IMAGE_VERSION: config.imageVersion,
          },
        }),
        logger,
      }),
    process: async () =>
      createProcessRuntime({
        dataDir: config.dataDir,
        instanceId,
        command: gatewayCommand ?? [process.execPath, join(repoRoot, "docker/base/acp-gateway/src/index.ts")],
        baseEnv: networkEnvironment(env),
        healthTimeoutMs: 30_000,
        stopTimeoutMs: 5_000,
        cloneTimeoutMs: 600_000,
        logger,
      }),
  };
}

const passedOn =
  /^(PATH|LANG|LC_[A-Z]+|TZ|TMPDIR|(https?|no|all)_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)$/;

/** Of the control plane's environment only what finds programs and the network; never its secrets. */
function networkEnvironment(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value !== undefined && passedOn.test(name) ? [[name, value]] : [])),
  );
}
