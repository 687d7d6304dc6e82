import { CoolifyError } from "@agentpod/coolify";
import { RuntimeError, type Step } from "../runtime.ts";
import { WORKSPACE } from "./application-settings.ts";
import { ask, toRuntimeError } from "./coolify-error.ts";
import { requireApplication } from "./find-application.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";

const NAME = "workspace";

/** The volume with the project's files; it outlives every deployment. */
export function createStorageStep(context: CoolifyRuntimeOptions): Step {
  const { client } = context;

  async function isThere(appUuid: string, signal: AbortSignal): Promise<boolean> {
    const list = () => client.listStorages(appUuid, { signal });
    const { persistent_storages: volumes } = await ask("looking for the volume", list);
    if (volumes.some(({ mount_path }) => mount_path === WORKSPACE)) return true;
    // Coolify puts the application's id before the names it is given.
    const taken = volumes.find(({ name }) => name === NAME || name === `${appUuid}-${NAME}`);
    if (!taken) return false;
    const fix = `mount it at ${WORKSPACE}, or remove it if nobody needs its data`;
    throw new RuntimeError("rejected", `the volume ${taken.name} is mounted at ${taken.mount_path}; in Coolify ${fix}`);
  }

  return {
    name: "storage",
    run: async ({ projectId }, { signal }) => {
      const { uuid } = await requireApplication(context, projectId, signal);
      if (await isThere(uuid, signal)) return;
      try {
        await client.createStorage(uuid, { name: NAME, mount_path: WORKSPACE }, { signal });
      } catch (error) {
        const isUnclear = error instanceof CoolifyError && error.mayHaveHappened && !signal.aborted;
        if (!isUnclear || !(await isThere(uuid, signal))) throw toRuntimeError(error, "making the volume");
      }
    },
  };
}
