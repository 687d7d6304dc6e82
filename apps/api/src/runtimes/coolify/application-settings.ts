import { type Application, cpuLimit, memoryLimit, portList, type ApplicationPatch } from "@agentpod/coolify";
import { RuntimeError, type SandboxSpec } from "../runtime.ts";
import { SOURCE_TIMEOUT_SECONDS } from "../sandbox-variables.ts";

export const WORKSPACE = "/home/developer/workspace";
/** How often Coolify looks whether a new sandbox is healthy. */
const HEALTH_EVERY_SECONDS = 5;
/** Browsers and X clients share pictures through it; Docker's own 64 MB make them crash. */
const GUI_SHM = "256m";
const STOP_GRACE_SECONDS = 10;

/**
 * Everything of an application but its image, name and description, as it is to be. The domains are
 * always among it: without them Coolify keeps routing to the ports of before.
 * @throws CoolifyError `unsafe_value` for what Coolify would not take as it is meant
 */
export function applicationSettings(spec: SandboxSpec, healthTimeoutMs: number): ApplicationPatch {
  const memory = memoryLimit(spec.limits.memoryBytes);
  const gateway = spec.ports.find(({ name }) => name === "gateway");
  if (!gateway) throw new RuntimeError("rejected", "the sandbox has no port for its gateway");
  return {
    ports_exposes: portList(spec.ports.map(({ containerPort }) => containerPort)),
    domains: spec.urls.domainsConfig,
    limits_memory: memory,
    // Memory and swap together: none of it is swap.
    limits_memory_swap: memory,
    limits_cpus: cpuLimit(spec.limits.cpus),
    custom_docker_run_options: runOptions(spec),
    ...healthCheck(spec, gateway.containerPort, healthTimeoutMs),
    stop_grace_period: STOP_GRACE_SECONDS,
  };
}

/** The image's own check has no effect in Coolify; this one asks the same, with the curl of the image. */
function healthCheck({ sourceUrl }: SandboxSpec, port: number, healthTimeoutMs: number): ApplicationPatch {
  // The source comes before the gateway.
  const seconds = healthTimeoutMs / 1000 + (sourceUrl === null ? 0 : SOURCE_TIMEOUT_SECONDS);
  return {
    health_check_enabled: true,
    health_check_method: "GET",
    health_check_scheme: "http",
    // The gateway listens on IPv4 only.
    health_check_host: "127.0.0.1",
    health_check_port: port,
    health_check_path: "/health",
    health_check_return_code: 200,
    health_check_interval: HEALTH_EVERY_SECONDS,
    health_check_timeout: HEALTH_EVERY_SECONDS,
    health_check_retries: Math.max(3, Math.ceil(seconds / HEALTH_EVERY_SECONDS)),
    // Coolify sleeps this long before its first look, so patience lies in the retries.
    health_check_start_period: 1,
  };
}

/** Only what Coolify passes on; it drops the rest, and cuts values at a dash: no-new-privileges is not to be had. */
function runOptions({ addonIds, requiresGpu }: SandboxSpec): string {
  return [
    "--cap-drop ALL",
    ...(addonIds.includes("gui") ? [`--shm-size ${GUI_SHM}`] : []),
    ...(requiresGpu ? ["--gpus all"] : []),
  ].join(" ");
}

/** Whether it is deployed by digest: then nothing newer can be had under the same settings. */
export function isPinned({ docker_registry_image_name: name }: Application): boolean {
  return name?.endsWith("@sha256") ?? false;
}
