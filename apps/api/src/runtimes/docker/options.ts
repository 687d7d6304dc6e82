import type { CredentialsOf } from "@agentpod/oci";
import type Dockerode from "dockerode";
import type { Report, SandboxSpec } from "../runtime.ts";
import type { EngineFacts } from "./engine-facts.ts";

/** Makes the image of a spec on this host, or fails with a RuntimeError. */
export type BuildImage = (spec: SandboxSpec, report: Report, signal: AbortSignal) => Promise<void>;

export interface DockerRuntimeOptions {
  /** From `connectDocker`. */
  docker: Dockerode;
  /** Of this installation; containers and volumes with another one are never touched. */
  instanceId: string;
  /** With one, a Traefik on this host routes the public names. */
  wildcardDomain: string | null;
  /** From the start of a sandbox until its gateway answers. */
  healthTimeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  stopTimeoutSeconds: number;
  /** What to log in with at the registry of an image; without it images are pulled anonymously. */
  credentials?: CredentialsOf | undefined;
  /** Tried where an image can be had nowhere else. */
  buildImage?: BuildImage | undefined;
  logger: { warn: (data: object, message: string) => void };
}

/** The options and what the engine said of itself. */
export interface DockerContext extends DockerRuntimeOptions {
  facts: EngineFacts;
}
