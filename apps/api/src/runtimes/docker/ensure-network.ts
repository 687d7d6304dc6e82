import type Dockerode from "dockerode";
import { RuntimeError, type Step } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";

const ISOLATED = { "com.docker.network.bridge.enable_icc": "false" };

/** The one bridge of all sandboxes, on which they do not see each other. */
export function createNetworkStep(docker: Dockerode, name: string): Step {
  return {
    name: "network",
    run: async (_spec, { signal }) => {
      if (await isThere(docker, name, signal)) return;
      const create = (abortSignal: AbortSignal) =>
        docker.createNetwork({
          Name: name,
          Driver: "bridge",
          CheckDuplicate: true,
          Options: ISOLATED,
          abortSignal,
        });
      // 409: another project was faster.
      await callEngine("making the network", create, { signal, otherwise: { 409: null } });
      if (!(await isThere(docker, name, signal))) {
        throw new RuntimeError("unavailable", `the network ${name} went away while it was made`);
      }
    },
  };
}

async function isThere(docker: Dockerode, name: string, signal: AbortSignal): Promise<boolean> {
  const network = docker.getNetwork(name);
  const found = await callEngine("looking for the network", () => network.inspect(), {
    signal,
    otherwise: { 404: null },
  });
  if (found === null) return false;
  const isolated = Object.entries(ISOLATED).every(([option, value]) => found.Options?.[option] === value);
  if (found.Driver === "bridge" && isolated) return true;
  throw new RuntimeError(
    "rejected",
    `the network ${name} lets sandboxes reach each other; remove it, and it is made anew: docker network rm ${name}`,
  );
}
