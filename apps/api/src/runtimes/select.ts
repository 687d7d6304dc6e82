import type { Config, CoolifyConfig } from "../config.ts";
import type { ImageInspector } from "./image-inspector.ts";
import { RuntimeError, type Runtime } from "./runtime.ts";

export interface RuntimeChoice {
  runtime: Runtime;
  /** Absent where the runtime uses no images. */
  inspector?: ImageInspector | undefined;
  /** Whether the registry of the images answers; absent where none is used. */
  registryAnswers?: (() => Promise<boolean>) | undefined;
}

export interface RuntimeChoices {
  coolify: (settings: CoolifyConfig) => Promise<RuntimeChoice>;
  docker: () => Promise<RuntimeChoice>;
  process: () => Promise<RuntimeChoice>;
}

export interface SelectedRuntime extends RuntimeChoice {
  /** Why it is not the better one; null when it was asked for or is the best there is. */
  note: string | null;
}

/**
 * The runtime the configuration asks for; `auto` takes Coolify when it is configured, else a Docker engine
 * that answers, else a process.
 * @throws RuntimeError `unavailable` when what was asked for cannot be had
 */
export async function selectRuntime(
  config: Pick<Config, "runtime" | "coolify" | "loopback" | "host">,
  choices: RuntimeChoices,
): Promise<SelectedRuntime> {
  // Set only where Coolify is asked for or `auto` takes it.
  if (config.coolify !== null) return { ...(await choices.coolify(config.coolify)), note: null };
  if (config.runtime === "docker") return { ...(await choices.docker()), note: null };
  if (config.runtime === "process") return { ...(await choices.process()), note: null };
  try {
    return { ...(await choices.docker()), note: null };
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.failure !== "unavailable") throw error;
    if (!config.loopback) {
      throw new RuntimeError(
        "unavailable",
        `No Docker engine answers (${error.message}), and the process runtime gives no isolation, so it is not used while HOST is ${config.host}.`,
        { cause: error },
      );
    }
    return { ...(await choices.process()), note: `no Docker engine answers: ${error.message}` };
  }
}
