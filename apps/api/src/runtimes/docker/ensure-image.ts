import pLimit from "p-limit";
import { RuntimeError, type SandboxSpec, type Step, type StepContext } from "../runtime.ts";
import { findImage } from "./find-image.ts";
import { isLocalOnly } from "./image-name.ts";
import type { BuildImage, DockerContext } from "./options.ts";
import { pullImage } from "./pull-image.ts";

/** The image on this host: as it is there, else pulled, else built. */
export function createImageStep({ docker, buildImage, credentials, logger }: DockerContext): Step {
  // One build at a time: they stand on the same layers, and a second one of the same image finds it made.
  const oneAtATime = pLimit(1);

  async function build(make: BuildImage, spec: SandboxSpec, { report, signal }: StepContext): Promise<void> {
    if (await findImage(docker, spec.imageRef, signal)) return;
    await make(spec, report, signal);
  }

  return {
    name: "image",
    run: async (spec, context) => {
      const { imageRef } = spec;
      if (await findImage(docker, imageRef, context.signal)) return;
      try {
        if (isLocalOnly(imageRef)) {
          throw new RuntimeError("image_unavailable", `the image ${imageRef} is not on this host`);
        }
        await pullImage({ docker, credentials }, imageRef, context);
      } catch (error) {
        if (!(error instanceof RuntimeError) || error.failure !== "image_unavailable") throw error;
        if (!buildImage) throw new RuntimeError("image_unavailable", `${error.message}; ${buildCommand(spec)}`);
        logger.warn({ imageRef, reason: error.message }, "building an image that cannot be pulled");
        await oneAtATime(() => build(buildImage, spec, context));
      }
      if (await findImage(docker, imageRef, context.signal)) return;
      throw new RuntimeError("image_unavailable", `the image ${imageRef} is not there after it was made`);
    },
  };
}

function buildCommand({ flavorId, addonIds }: SandboxSpec): string {
  const addons = addonIds.map((id) => ` --addon ${id}`).join("");
  return `build it: docker/scripts/build.sh --flavor ${flavorId}${addons}`;
}
