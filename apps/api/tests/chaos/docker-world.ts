import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Project } from "@agentpod/types";
import Dockerode from "dockerode";
import { requireSandboxImage } from "../support/sandbox-image.ts";
import { restartEngine } from "./restart-engine.ts";
import type { Actual, World } from "./world.ts";

const LABEL = "dev.agentpod";
const GB = 1024 ** 3;

/**
 * Sandboxes on the Docker engine of this machine, whose containers somebody else kills, stops, freezes
 * and removes.
 * @param options.restartsEngine whether the engine itself is restarted once in the middle
 */
export async function createDockerWorld(options: { restartsEngine: boolean }): Promise<World> {
  const docker = new Dockerode();
  await requireSandboxImage(docker);
  const { MemTotal } = (await docker.info()) as { MemTotal: number };
  let engineRestarts = options.restartsEngine ? 1 : 0;
  let filters: { label: string[] } | undefined;

  /** The labels of the API's own installation, known once it has started. */
  function own(dataDir: string): { label: string[] } {
    const file = join(dataDir, "instance-id");
    if (!existsSync(file)) throw new Error("the API has not made its instance-id");
    filters = { label: [`${LABEL}.instance=${readFileSync(file, "utf8").trim()}`] };
    return filters;
  }

  const inWords = (image: string, memoryBytes: number, addons: string): string =>
    `${image} with ${memoryBytes} bytes and addons [${addons}]`;

  return {
    env: { RUNTIME: "docker", HEALTH_TIMEOUT_MS: "60000" },
    flavorIds: ["js"],
    addonSets: [[], ["code-server"]],

    async disturb(random, dataDir) {
      if (engineRestarts > 0 && random.below(2) === 0) {
        engineRestarts -= 1;
        await restartEngine();
        return "restart of the engine";
      }
      const all = await docker.listContainers({ all: true, filters: own(dataDir) });
      if (all.length === 0) return "nothing, as there is no container";
      const how = random.pick(["kill", "stop", "remove", "pause"] as const);
      const container = docker.getContainer(random.pick(all).Id);
      const acts = {
        kill: () => container.kill(),
        stop: () => container.stop({ t: 1 }),
        remove: () => container.remove({ force: true }),
        pause: () => container.pause(),
      };
      // The API works on the same container: either may be first.
      await acts[how]().catch(() => undefined);
      return `${how} of a container`;
    },

    calm: () => undefined,

    async actual(dataDir): Promise<Actual[]> {
      const all = await docker.listContainers({ all: true, filters: own(dataDir) });
      return await Promise.all(
        all.map(async ({ Id, Labels, State, Image }) => {
          const { Config, HostConfig } = await docker.getContainer(Id).inspect();
          const addons = Config.Env.find((line) => line.startsWith("AGENTPOD_ADDONS="))?.slice(16) ?? "";
          return {
            projectId: Labels[`${LABEL}.project`] ?? "",
            isRunning: State === "running",
            configuration: inWords(Image, HostConfig.Memory ?? 0, addons),
          };
        }),
      );
    },

    expected({ imageRef, resourceTierId, addonIds }: Project) {
      const memory = { starter: 2 * GB, builder: 4 * GB }[resourceTierId] ?? 0;
      return inWords(imageRef ?? "", Math.min(memory, MemTotal), addonIds.join(","));
    },

    async leftovers(projects, dataDir) {
      const { Volumes } = await docker.listVolumes({ filters: own(dataDir) });
      const known = new Set(projects.map(({ id }) => id));
      return Volumes.flatMap(({ Name, Labels }) =>
        known.has(Labels[`${LABEL}.project`] ?? "") ? [] : [`volume ${Name} is left`],
      );
    },

    async close() {
      if (filters === undefined) return;
      for (const { Id } of await docker.listContainers({ all: true, filters }))
        await docker.getContainer(Id).remove({ force: true });
      for (const { Name } of (await docker.listVolumes({ filters })).Volumes) await docker.getVolume(Name).remove();
    },
  };
}
