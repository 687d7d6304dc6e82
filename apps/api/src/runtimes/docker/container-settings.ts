import { createHash } from "node:crypto";
import type Dockerode from "dockerode";
import { hostPortOf, RuntimeError, type SandboxSpec } from "../runtime.ts";
import { sandboxVariables } from "../sandbox-variables.ts";
import type { EngineFacts } from "./engine-facts.ts";
import { LABELS, NETWORK_NAME, sandboxName } from "./names.ts";
import { traefikLabels } from "./traefik-labels.ts";

const WORKSPACE = "/home/developer/workspace";
const LOOPBACK = "127.0.0.1";
const PIDS_MAX = 4096;
/** Browsers and X clients share pictures through it; Docker's own 64 MB make them crash. */
const GUI_SHM_BYTES = 256 * 1024 ** 2;
/** Docker's default driver breaks a character that stands where it cuts a long line. */
const LOG = { Type: "local", Config: { "max-size": "10m", "max-file": "3" } };

export interface SettingsContext {
  facts: EngineFacts;
  instanceId: string;
  /** Public names are routed only where there is one. */
  wildcardDomain: string | null;
  stopTimeoutSeconds: number;
  /** Id of what `imageRef` means now: a rebuilt image makes another container. */
  imageId: string;
}

/** Everything the engine is told about a sandbox's container, with a digest of it all among the labels. */
export function containerSettings(spec: SandboxSpec, context: SettingsContext): Dockerode.ContainerCreateOptions {
  const { instanceId, wildcardDomain, imageId, stopTimeoutSeconds } = context;
  const name = sandboxName(spec.projectId);
  const labels = {
    ...(wildcardDomain === null ? {} : traefikLabels(name, NETWORK_NAME, spec.urls.domainsConfig)),
    [LABELS.instance]: instanceId,
    [LABELS.project]: spec.projectId,
    [LABELS.slug]: spec.slug,
    [LABELS.generation]: String(spec.generation),
  };
  const settings = {
    name,
    Image: spec.imageRef,
    Hostname: spec.slug,
    Env: environment(spec),
    ExposedPorts: Object.fromEntries(spec.ports.map(({ containerPort }) => [`${containerPort}/tcp`, {}])),
    StopTimeout: stopTimeoutSeconds,
    HostConfig: hostConfig(spec, name, context.facts),
  };
  const digest = createHash("sha256")
    .update(JSON.stringify([imageId, labels, settings]))
    .digest("hex");
  return { ...settings, Labels: { ...labels, [LABELS.spec]: digest } };
}

function environment(spec: SandboxSpec): string[] {
  // Sorted, as their order must not change the digest.
  return Object.entries(sandboxVariables(spec))
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
}

function hostConfig(spec: SandboxSpec, volume: string, facts: EngineFacts): Dockerode.HostConfig {
  const memory = Math.min(spec.limits.memoryBytes, facts.memoryBytes);
  return {
    NetworkMode: NETWORK_NAME,
    Binds: [`${volume}:${WORKSPACE}`],
    PortBindings: Object.fromEntries(
      spec.ports.map((port) => [
        `${port.containerPort}/tcp`,
        [{ HostIp: LOOPBACK, HostPort: String(hostPortOf(port)) }],
      ]),
    ),
    Memory: memory,
    // Memory and swap together: none of it is swap.
    MemorySwap: memory,
    NanoCpus: Math.round(Math.min(spec.limits.cpus, facts.cpus) * 1e9),
    PidsLimit: PIDS_MAX,
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges"],
    LogConfig: LOG,
    Init: false,
    // Set to unless-stopped once it is healthy: what cannot start should not be started for ever.
    RestartPolicy: { Name: "no" },
    ...(spec.addonIds.includes("gui") ? { ShmSize: GUI_SHM_BYTES } : {}),
    ...(spec.requiresGpu ? { DeviceRequests: [gpuOf(facts)] } : {}),
  };
}

function gpuOf({ gpuRequest }: EngineFacts): Dockerode.DeviceRequest {
  if (gpuRequest) return gpuRequest;
  throw new RuntimeError(
    "rejected",
    "the Docker engine offers no GPU: install the NVIDIA container toolkit and restart the engine, or leave the addon out",
  );
}
