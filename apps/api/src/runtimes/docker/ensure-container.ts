import { RuntimeError, type SandboxSpec, type Step } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { containerSettings } from "./container-settings.ts";
import { findByName } from "./find-container.ts";
import { findImage } from "./find-image.ts";
import { assertOurs, LABELS } from "./names.ts";
import type { DockerContext } from "./options.ts";
import { secretsOf } from "../redact.ts";
import { removeContainer } from "./remove-container.ts";
import { stopContainer } from "./stop-container.ts";

const CREATE_TIMEOUT_MS = 120_000;
const TRIES_MAX = 3;

/** The project's container as the spec has it. Another one of the project makes place, its volume stays. */
export function createContainerStep(context: DockerContext): Step {
  return {
    name: "container",
    run: async (spec, { report, signal }) => {
      const settings = containerSettings(spec, { ...context, imageId: await imageIdOf(context, spec, signal) });
      const create = (abortSignal: AbortSignal) => context.docker.createContainer({ ...settings, abortSignal });
      for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
        const existing = await findByName(context.docker, spec.projectId, signal);
        if (existing) {
          assertOurs("container", existing.Name.slice(1), existing.Config.Labels, context.instanceId);
          const usable = existing.State.Status !== "removing" && !existing.State.Dead;
          if (usable && existing.Config.Labels[LABELS.spec] === settings.Labels?.[LABELS.spec]) return;
          await stopContainer(context, spec.projectId, signal);
          await removeContainer(context, spec.projectId, signal);
        }
        const created = await callEngine("making the sandbox", create, {
          signal,
          timeoutMs: CREATE_TIMEOUT_MS,
          secrets: secretsOf(spec),
          otherwise: { 409: "name taken" } as const,
        });
        if (created !== "name taken") return report("created");
      }
      throw new RuntimeError("unavailable", "somebody else keeps making a container of the sandbox's name");
    },
  };
}

async function imageIdOf({ docker }: DockerContext, { imageRef }: SandboxSpec, signal: AbortSignal): Promise<string> {
  const image = await findImage(docker, imageRef, signal);
  if (image) return image.Id;
  throw new RuntimeError("image_unavailable", `the image ${imageRef} was removed while the sandbox was being made`);
}
