import type Dockerode from "dockerode";
import { z } from "zod";
import { RuntimeError, type RuntimeCapabilities } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";

const GPU_OF_CDI = "nvidia.com/gpu=all";

const EngineInfo = z.object({
  OSType: z.string(),
  ServerVersion: z.string(),
  NCPU: z.int().min(1),
  MemTotal: z.int().min(1),
  MemoryLimit: z.boolean(),
  CpuCfsQuota: z.boolean(),
  PidsLimit: z.boolean(),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  /** Engines from 28.3 on name the devices they found. */
  DiscoveredDevices: z.array(z.object({ Source: z.string(), ID: z.string() })).nullish(),
});

export interface EngineFacts {
  version: string;
  cpus: number;
  memoryBytes: number;
  /** Memory, cpu and process limits are all enforced. */
  limits: boolean;
  /** How to ask for a GPU; null where the engine offers none. */
  gpuRequest: Dockerode.DeviceRequest | null;
}

/** @throws RuntimeError `unavailable` when no engine answers, or one that cannot run these images */
export async function readEngineFacts(docker: Dockerode, signal?: AbortSignal): Promise<EngineFacts> {
  const answer: unknown = await callEngine("asking the Docker engine", () => docker.info(), { signal });
  const { success, data } = EngineInfo.safeParse(answer);
  if (!success) throw new RuntimeError("unavailable", "what answers as the Docker engine is not one");
  if (data.OSType !== "linux") {
    throw new RuntimeError("unavailable", `the Docker engine runs ${data.OSType} containers: switch it to Linux ones`);
  }
  return {
    version: data.ServerVersion,
    cpus: data.NCPU,
    memoryBytes: data.MemTotal,
    limits: data.MemoryLimit && data.CpuCfsQuota && data.PidsLimit,
    gpuRequest: gpuRequest(data),
  };
}

export function capabilitiesOf({ cpus, memoryBytes, limits, gpuRequest }: EngineFacts): RuntimeCapabilities {
  return {
    gpu: gpuRequest !== null,
    volumes: true,
    addons: true,
    limits,
    isolation: true,
    hostPorts: true,
    cpusMax: cpus,
    memoryBytesMax: memoryBytes,
  };
}

function gpuRequest({ Runtimes, DiscoveredDevices }: z.infer<typeof EngineInfo>): Dockerode.DeviceRequest | null {
  const isThere = (DiscoveredDevices ?? []).some(({ Source, ID }) => Source === "cdi" && ID === GPU_OF_CDI);
  if (isThere) return { Driver: "cdi", DeviceIDs: [GPU_OF_CDI] };
  return Runtimes && "nvidia" in Runtimes ? { Driver: "nvidia", Count: -1, Capabilities: [["gpu"]] } : null;
}
