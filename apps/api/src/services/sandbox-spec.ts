import type { ProjectPort, ProjectUrls, RuntimeName } from "@agentpod/types";
import type { ProjectRecord } from "../models/project.ts";
import { type RuntimeCapabilities, RuntimeError, type SandboxSpec } from "../runtimes/runtime.ts";
import { gatewayTokenContext } from "./gateway-token.ts";
import { generateProjectUrls, resolveImage, type ResolverContext } from "./image-resolver.ts";
import { GATEWAY_PORT, OPENCODE_PORT } from "./sandbox-ports.ts";
import { type SecretBox, SecretBoxError } from "./secret-box.ts";

/** The services a configuration has on a runtime, each with its port inside the sandbox. */
export function servicesOf(
  addons: readonly { id: string; port: number | null }[],
  runtime: { name: RuntimeName; capabilities: RuntimeCapabilities },
): { name: string; containerPort: number }[] {
  const gateway = { name: "gateway", containerPort: GATEWAY_PORT };
  // A bare process is the gateway alone: what the images hold besides is not there.
  if (runtime.name === "process") return [gateway];
  const served = addons.flatMap(({ id, port }) => (port === null ? [] : [{ name: id, containerPort: port }]));
  return [{ name: "opencode", containerPort: OPENCODE_PORT }, gateway, ...served];
}

export interface StoredUrls {
  fqdnUrl: string | null;
  gatewayUrl: string | null;
  codeServerUrl: string | null;
  vncUrl: string | null;
}

/** Public URLs where a wildcard domain routes, else the ports on this host's loopback. */
export function urlsOf(ports: readonly ProjectPort[], urls: ProjectUrls): StoredUrls {
  const at = (name: string, url: string | null): string | null => {
    const port = ports.find((candidate) => candidate.name === name);
    if (!port) return null;
    return url ?? (port.hostPort === null ? null : `http://127.0.0.1:${port.hostPort}`);
  };
  return {
    fqdnUrl: at("opencode", urls.opencode),
    gatewayUrl: at("gateway", urls.acpGateway),
    codeServerUrl: at("code-server", urls.codeServer),
    vncUrl: at("gui", urls.vnc),
  };
}

/**
 * What the runtime is asked to run for a project as it stands, with `env` beside its own environment.
 * @throws ImageConfigurationError when the catalog no longer offers what the project is made from,
 * RuntimeError `rejected` when its token was sealed with another key
 */
export function sandboxSpec(
  project: ProjectRecord,
  context: ResolverContext,
  secretBox: SecretBox,
  capabilities: RuntimeCapabilities,
  env: Readonly<Record<string, string>>,
): SandboxSpec {
  const resolution = resolveImage(
    { resourceTierId: project.resourceTierId, flavorId: project.flavorId, addonIds: project.addonIds },
    context,
  );
  if (project.gatewayToken === null) throw new Error(`project ${project.id} has no gateway token`);
  const { cpuCores, storageGb } = resolution.resourceTier;
  return {
    projectId: project.id,
    slug: project.slug,
    generation: project.generation,
    imageRef: project.imageRef ?? resolution.imageRef,
    flavorId: resolution.flavor.id,
    addonIds: resolution.addons.map(({ id }) => id),
    limits: {
      cpus: Math.min(cpuCores, capabilities.cpusMax ?? cpuCores),
      memoryBytes: resolution.containerLimits.memoryBytes,
      storageBytes: storageGb * 1024 ** 3,
    },
    requiresGpu: resolution.requiresGpu,
    ports: project.ports,
    urls: generateProjectUrls(project.slug, resolution.addons, context),
    sourceUrl: project.sourceUrl,
    gatewayToken: openToken(project.id, project.gatewayToken, secretBox),
    env,
  };
}

/** @throws RuntimeError `rejected` when it was sealed with another key */
export function openToken(projectId: string, sealed: string, secretBox: SecretBox): string {
  try {
    return secretBox.open(sealed, gatewayTokenContext(projectId));
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    const fix = "start the API with the ENCRYPTION_KEY, or the key file, that was in use when the project was made";
    throw new RuntimeError("rejected", `the project's gateway token cannot be opened; ${fix}`, { cause: error });
  }
}
