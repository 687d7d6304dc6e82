import type { ProjectPort } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { ApiError } from "../http/problem.ts";
import { allocatedPorts, allocatePorts, listPorts, releasePorts } from "../models/port-allocation.ts";
import { type PortAllocator, PortsExhaustedError } from "./port-allocator.ts";

export type PortBook = ReturnType<typeof createPortBook>;

interface Service {
  name: string;
  containerPort: number;
}

/** Which host port belongs to which project's service. Ports stay with a service over redeploys. */
export function createPortBook(db: Database, allocator: PortAllocator) {
  return {
    /**
     * Ports that are free now, to be given to `assign` in a transaction soon after.
     * @throws ApiError `runtime_unavailable` when there are none left
     */
    async pick(count: number): Promise<number[]> {
      try {
        return await allocator.pick(count, allocatedPorts(db));
      } catch (error) {
        if (error instanceof PortsExhaustedError)
          throw new ApiError("runtime_unavailable", error.message, { cause: error });
        throw error;
      }
    },

    /** Gives back every port of a project. Call inside a transaction. */
    release: (projectId: string): number => releasePorts(db, projectId),

    /**
     * Gives each service a port: the one it has, else one of `picked`; none where `picked` is null, as a
     * proxy routes to it. Call inside a transaction.
     */
    assign(projectId: string, services: readonly Service[], picked: readonly number[] | null): ProjectPort[] {
      const held = listPorts(db, projectId);
      const fresh = [...(picked ?? [])];
      const assigned = services.map(({ name, containerPort }) => {
        if (picked === null) return { name, containerPort, port: null };
        const kept = held.find((service) => service.name === name);
        const port = kept?.port ?? fresh.shift();
        if (port === undefined) throw new Error("fewer ports were picked than services need one");
        return { name, containerPort, port };
      });
      releasePorts(db, projectId);
      const allocated = allocatePorts(db, projectId, assigned);
      // Both come from `pick`, which gives nothing twice; a conflict undoes the whole transaction.
      if (!allocated.ok) throw new Error(`ports could not be kept: ${allocated.reason}`);
      return assigned.map(({ name, containerPort, port }) => ({ name, containerPort, hostPort: port }));
    },
  };
}
