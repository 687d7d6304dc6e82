import { RuntimeError, type Step } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { assertOurs, LABELS, sandboxName } from "./names.ts";
import type { DockerContext } from "./options.ts";

/** The named volume with the project's files; it outlives every container of the project. */
export function createVolumeStep({ docker, instanceId }: Pick<DockerContext, "docker" | "instanceId">): Step {
  return {
    name: "volume",
    run: async ({ projectId }, { signal }) => {
      const name = sandboxName(projectId);
      const find = () =>
        callEngine("looking for the volume", (abortSignal) => docker.getVolume(name).inspect({ abortSignal }), {
          signal,
          otherwise: { 404: null },
        });
      const Labels = { [LABELS.instance]: instanceId, [LABELS.project]: projectId };
      let found = await find();
      if (found === null) {
        const create = (abortSignal: AbortSignal) => docker.createVolume({ Name: name, Labels, abortSignal });
        await callEngine("making the volume", create, { signal });
        // The engine answers with the one that is there when somebody else was faster.
        found = await find();
      }
      if (found === null) throw new RuntimeError("unavailable", `the volume ${name} went away while it was made`);
      assertOurs("volume", name, found.Labels, instanceId);
    },
  };
}
