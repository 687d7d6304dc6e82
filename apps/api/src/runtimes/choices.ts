import { join } from "node:path";
import { createCoolifyClient } from "@agentpod/coolify";
import type { Config, Environment } from "../config.ts";
import type { Logger } from "../http/logger.ts";
import { type ApplicationRecords, type CoolifyRuntimeOptions, createCoolifyRuntime } from "./coolify/index.ts";
import {
  connectDocker,
  createDockerRuntime,
  createImageInspector,
  createScriptBuilder,
  missingBuildFile,
} from "./docker/index.ts";
import { createProcessRuntime } from "./process/index.ts";
import { createRegistry } from "./registry/index.ts";
import type { RuntimeChoices } from "./select.ts";

export interface RuntimeChoicesOptions {
  config: Config;
  env: Environment;
  repoRoot: string;
  instanceId: string;
  logger: Logger;
  records: ApplicationRecords;
  pace: Pick<CoolifyRuntimeOptions, "pollMs" | "deployTimeoutMs" | "healthTimeoutMs">;
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
  records,
  pace,
  gatewayCommand,
}: RuntimeChoicesOptions): RuntimeChoices {
  const registryFor = (platform?: string) =>
    createRegistry({
      registryUrl: config.registryUrl,
      dockerConfigPath: config.dockerConfigPath,
      ...(platform === undefined ? {} : { platform }),
      logger,
    });
  return {
    async coolify({ url, token, projectUuid, serverUuid, destinationUuid, environmentName, gpu }) {
      const registry = registryFor();
      const client = createCoolifyClient({
        baseUrl: url,
        token,
        onCall: (call) => logger.debug(call, "Coolify was asked"),
      });
      const runtime = await createCoolifyRuntime({
        client,
        instanceId,
        projectUuid,
        serverUuid,
        environmentName,
        ...(destinationUuid === null ? {} : { destinationUuid }),
        records,
        gpu,
        digestOf: registry?.digestOf,
        ...pace,
        logger,
      });
      return { runtime, inspector: registry?.inspector, registryAnswers: registry?.answers };
    },
    async docker() {
      const docker = connectDocker(config.dockerHost);
      const registry = registryFor(process.arch === "arm64" ? "linux/arm64" : "linux/amd64");
      const runtime = await createDockerRuntime({
        docker,
        instanceId,
        wildcardDomain: config.wildcardDomain,
        healthTimeoutMs: 60_000,
        stopTimeoutSeconds: 10,
        credentials: registry?.credentials,
        buildImage: createScriptBuilder({ repoRoot, env: buildEnvironment(env, config) }),
        logger,
      });
      const inspector = createImageInspector({
        docker,
        registry: registry?.inspector,
        canBuild: ({ flavorId, addonIds }) => missingBuildFile(repoRoot, { flavorId, addonIds }) === null,
      });
      return { runtime, inspector, registryAnswers: registry?.answers };
    },
    async process() {
      const runtime = await createProcessRuntime({
        dataDir: config.dataDir,
        instanceId,
        command: gatewayCommand ?? [process.execPath, join(repoRoot, "docker/base/acp-gateway/src/index.ts")],
        baseEnv: networkEnvironment(env),
        healthTimeoutMs: 30_000,
        stopTimeoutMs: 5_000,
        cloneTimeoutMs: 600_000,
        logger,
      });
      return { runtime };
    },
  };
}

const passedOn =
  /^(PATH|LANG|LC_[A-Z]+|TZ|TMPDIR|(https?|no|all)_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)$/;

const passedToBuilds = /^(HOME|DOCKER_CONFIG|DOCKER_CONTEXT|DEBIAN_MIRROR|NPM_CONFIG_USERCONFIG|npm_config_\w+)$/;

/** Of the control plane's environment only what finds programs and the network; never its secrets. */
const networkEnvironment = (env: Environment) => pick(env, (name) => passedOn.test(name));

function buildEnvironment(env: Environment, config: Config): Record<string, string> {
  return {
    ...pick(env, (name) => passedOn.test(name) || passedToBuilds.test(name)),
    ...(config.dockerHost === undefined ? {} : { DOCKER_HOST: config.dockerHost }),
    REGISTRY_URL: config.registryUrl,
    REGISTRY_OWNER: config.registryOwner,
    IMAGE_VERSION: config.imageVersion,
  };
}

function pick(env: Environment, wanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value !== undefined && wanted(name) ? [[name, value]] : [])),
  );
}
