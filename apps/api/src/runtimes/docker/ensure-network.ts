import type Dockerode from "dockerode";
import { RuntimeError, type Step } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { NETWORK_NAME } from "./names.ts";

const ISOLATED = { "com.docker.network.bridge.enable_icc": "false" };

/** The one bridge of all sandboxes, on which they do not see each other. */
export function createNetworkStep(docker: Dockerode): Step {
  return {
    name: "network",
    run: async (_spec, { signal }) => {
      if (await isThere(docker, signal)) return;
      const create = (abortSignal: AbortSignal) =>
        docker.createNetwork({
          Name: NETWORK_NAME,
          Driver: "bridge",
          CheckDuplicate: true,
          Options: ISOLATED,
          abortSignal,
        });
      // 409: another project was faster.
      await callEngine("making the network", create, { signal, otherwise: { 409: null } });
      if (!(await isThere(docker, signal))) {
        throw new RuntimeError("unavailable", `the network ${NETWORK_NAME} went away while it was made`);
      }
    },
  };
}

async function isThere(docker: Dockerode, signal: AbortSignal): Promise<boolean> {
  const network = docker.getNetwork(NETWORK_NAME);
  const found = await callEngine("looking for the network", () => network.inspect(), {
    signal,
    otherwise: { 404: null },
  });
  if (found === null) return false;
  const isolated = Object.entries(ISOLATED).every(([option, value]) => found.Options?.[option] === value);
  if (found.Driver === "bridge" && isolated) return true;
  throw new RuntimeError(
    "rejected",
    `the network ${NETWORK_NAME} lets sandboxes reach each other; remove it, and it is made anew: docker network rm ${NETWORK_NAME}`,
  );
}
