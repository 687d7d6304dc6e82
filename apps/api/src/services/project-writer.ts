import type { CreateProjectRequest, Operation, OperationKind, ProjectStatus } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { ApiError } from "../http/problem.ts";
import { getActiveOperation, insertOperation, toOperation, updateOperation } from "../models/operation.ts";
import { insertProject, updateProject, type ProjectRecord } from "../models/project.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { EventLog } from "./event-log.ts";
import { generateProjectUrls, hostPrefixes, type ImageResolution, type ResolverContext } from "./image-resolver.ts";
import type { PortBook } from "./port-book.ts";
import { gatewayTokenContext } from "./gateway-token.ts";
import { servicesOf, urlsOf } from "./sandbox-spec.ts";
import type { SecretBox } from "./secret-box.ts";
import { slugCandidates, slugify } from "./slug.ts";

export interface ProjectWriterDeps {
  db: Database;
  runtime: Pick<Runtime, "name" | "capabilities">;
  events: Pick<EventLog, "record">;
  ports: PortBook;
  secretBox: SecretBox;
  context: () => ResolverContext;
}

const transitional: Record<OperationKind, ProjectStatus> = {
  create: "creating",
  update: "updating",
  deploy: "starting",
  start: "starting",
  stop: "stopping",
  restart: "restarting",
  delete: "deleting",
};

/** The writes that changes of a project are made of. Each is called inside a transaction. */
export function createProjectWriter({ db, runtime, events, ports, secretBox, context }: ProjectWriterDeps) {
  /** @throws ApiError `operation_in_progress` with the id of the one at work */
  function refuseWhileBusy(projectId: string): void {
    const active = getActiveOperation(db, projectId);
    if (active) throw busy(active.id);
  }

  function newGatewayToken(projectId: string): string {
    const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    return secretBox.seal(token, gatewayTokenContext(projectId));
  }

  const slugOf = (name: string): string => slugify(name, hostPrefixes(context().addons));

  return {
    refuseWhileBusy,
    slugOf,

    /** A row with the first free slug for the name. */
    insert(
      id: string,
      request: CreateProjectRequest,
      { resolution, containerTierId }: { resolution: ImageResolution; containerTierId: string | null },
    ): ProjectRecord {
      for (const slug of slugCandidates(slugOf(request.name))) {
        const inserted = insertProject(db, {
          id,
          slug,
          name: request.name,
          description: request.description ?? null,
          sourceUrl: request.sourceUrl ?? null,
          containerTierId,
          resourceTierId: resolution.resourceTier.id,
          flavorId: resolution.flavor.id,
          addonIds: resolution.addons.map((addon) => addon.id),
          runtime: runtime.name,
        });
        if (inserted.ok) return inserted.value;
      }
      throw new Error("no free slug was found");
    },

    /**
     * Records that an operation is to be carried out, and what the project is wanted to be after it.
     * @throws ApiError `operation_in_progress`
     */
    begin(project: ProjectRecord, kind: OperationKind): Operation {
      const inserted = insertOperation(db, { projectId: project.id, kind });
      if (!inserted.ok) throw busy(inserted.operationId);
      updateProject(db, project.id, {
        status: transitional[kind],
        statusReason: null,
        desiredState: kind === "delete" ? "deleted" : kind === "stop" ? "stopped" : "running",
      });
      return toOperation(inserted.value);
    },

    /**
     * Records that the project's operation, of whatever kind but a delete, is not to be carried on.
     * Returns its id; null when there was none.
     */
    cancelActive(projectId: string): string | null {
      const active = getActiveOperation(db, projectId);
      if (!active || active.kind === "delete") return null;
      const error = { code: "cancelled", message: "The project was deleted before this was done." };
      updateOperation(db, active.id, { status: "cancelled", finishedAt: new Date().toISOString(), error });
      events.record({ projectId, operationId: active.id, type: "cancelled", data: { kind: active.kind } });
      return active.id;
    },

    /** Makes image, ports and URLs fit a configuration. Returns the ports inside the sandbox. */
    configure(project: ProjectRecord, resolution: ImageResolution, picked: readonly number[] | null): number[] {
      const services = servicesOf(resolution.addons, runtime);
      const allocated = ports.assign(project.id, services, picked);
      updateProject(db, project.id, {
        runtime: runtime.name,
        generation: project.generation + 1,
        imageRef: resolution.imageRef,
        resourceTierId: resolution.resourceTier.id,
        flavorId: resolution.flavor.id,
        addonIds: resolution.addons.map(({ id }) => id),
        gatewayToken: project.gatewayToken ?? newGatewayToken(project.id),
        ...urlsOf(allocated, generateProjectUrls(project.slug, resolution.addons, context())),
      });
      return services.map(({ containerPort }) => containerPort);
    },

    /** Gives every service of the project another host port. */
    movePorts(project: ProjectRecord, resolution: ImageResolution, picked: readonly number[]): void {
      ports.release(project.id);
      const allocated = ports.assign(project.id, project.ports, picked);
      updateProject(db, project.id, urlsOf(allocated, generateProjectUrls(project.slug, resolution.addons, context())));
    },
  };
}

function busy(operationId: string): ApiError {
  return new ApiError("operation_in_progress", "Another operation on this project is at work; wait for its end.", {
    operationId,
  });
}
