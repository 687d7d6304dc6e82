import type {
  CreateProjectRequest,
  Operation,
  OperationKind,
  Project,
  ProjectStatus,
  UpdateProjectRequest,
  Violation,
  Warning,
} from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { ApiError } from "../http/problem.ts";
import { getActiveOperation, insertOperation, toOperation } from "../models/operation.ts";
import { releasePorts } from "../models/port-allocation.ts";
import {
  getProjectById,
  insertProject,
  listProjects,
  toProject,
  updateProject,
  type ProjectPage,
  type ProjectRecord,
} from "../models/project.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { EventLog } from "./event-log.ts";
import { generateProjectUrls, type ImageResolution, type ResolverContext } from "./image-resolver.ts";
import type { OperationRunner } from "./operation-runner.ts";
import { chooseConfig, findViolations, type ConfigChoice, type ConfigRequest } from "./project-config.ts";
import type { PortBook } from "./port-book.ts";
import { gatewayTokenContext, servicesOf, urlsOf } from "./sandbox-spec.ts";
import type { SecretBox } from "./secret-box.ts";
import { slugCandidates, slugify } from "./slug.ts";

export interface ProjectManagerDeps {
  db: Database;
  runtime: Runtime;
  runner: OperationRunner;
  events: EventLog;
  ports: PortBook;
  secretBox: SecretBox;
  context: () => ResolverContext;
  sunsetAt: Date;
  now: () => Date;
}

/** What a call that changes a project answers. */
export interface Accepted {
  project: Project;
  /** The work that now runs; null when nothing had to be done. */
  operation: Operation | null;
  warnings: Warning[];
}

export type ProjectManager = ReturnType<typeof createProjectManager>;

const plannedDefaults: ConfigChoice = { resourceTierId: "starter", flavorId: "fullstack", addonIds: ["code-server"] };

const transitional: Record<OperationKind, ProjectStatus> = {
  create: "creating",
  update: "updating",
  deploy: "starting",
  start: "starting",
  stop: "stopping",
  restart: "restarting",
  delete: "deleting",
};

/** Every change of a project: decided here, recorded in one transaction, carried out by the runner. */
export function createProjectManager(deps: ProjectManagerDeps) {
  const { db, runtime, runner, events, ports, secretBox } = deps;

  const rules = () => ({ context: deps.context(), runtime, sunsetAt: deps.sunsetAt, now: deps.now() });

  function settle(request: ConfigRequest, fallback: ConfigChoice) {
    const chosen = chooseConfig(request, fallback, rules());
    if (chosen.ok) return chosen;
    const { violations } = chosen;
    const detail = violations.map(({ message }) => message).join("; ");
    if (violations.every(({ code }) => code === "container_tiers_sunset"))
      throw new ApiError("container_tiers_sunset", detail, { errors: violations });
    throw new ApiError("invalid_configuration", detail, { errors: violations });
  }

  function require(id: string): ProjectRecord {
    const project = getProjectById(db, id);
    if (!project) throw new ApiError("project_not_found", "No project has this id.");
    return project;
  }

  /** The project as it can be worked on here: one from before runtimes is taken over, another runtime's is refused. */
  function requireOwn(id: string): ProjectRecord {
    const project = require(id);
    const owner = project.runtime ?? (project.coolifyAppUuid === null ? runtime.name : "coolify");
    if (owner !== runtime.name) {
      throw new ApiError(
        "runtime_mismatch",
        `The project lives on the ${owner} runtime and this API serves ${runtime.name}; start it with RUNTIME=${owner}.`,
      );
    }
    return project;
  }

  function begin(project: ProjectRecord, kind: OperationKind, input: Record<string, unknown> = {}): Operation {
    const inserted = insertOperation(db, { id: Bun.randomUUIDv7(), projectId: project.id, kind, input });
    if (!inserted.ok) {
      throw new ApiError("operation_in_progress", "Another operation on this project is at work; wait for its end.", {
        operationId: inserted.operationId,
      });
    }
    updateProject(db, project.id, {
      status: transitional[kind],
      statusReason: null,
      desiredState: kind === "delete" ? "deleted" : kind === "stop" ? "stopped" : "running",
    });
    return toOperation(inserted.value);
  }

  /** Applies a configuration to the row: image, ports and URLs fit it from then on. */
  function configure(project: ProjectRecord, resolution: ImageResolution, picked: readonly number[]): number[] {
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
      ...urlsOf(allocated, generateProjectUrls(project.slug, resolution.addons, deps.context())),
    });
    return services.map(({ containerPort }) => containerPort);
  }

  function newGatewayToken(projectId: string): string {
    const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    return secretBox.seal(token, gatewayTokenContext(projectId));
  }

  /** Runs `change` in one transaction, then starts what it recorded. */
  function commit(change: () => Operation | null): Operation | null {
    const operation = db.transaction(change).immediate();
    events.wake();
    if (operation) runner.submit(operation.id);
    return operation;
  }

  const accepted = (id: string, operation: Operation | null, warnings: Warning[] = []): Accepted => ({
    project: toProject(require(id)),
    operation,
    warnings,
  });

  async function transition(id: string, kind: "deploy" | "start" | "stop" | "restart"): Promise<Accepted> {
    const seen = requireOwn(id);
    const unmade = kind !== "stop" && (seen.runtime === null || seen.generation === 0);
    const resolution = unmade ? settle({}, seen).resolution : undefined;
    const picked = resolution ? await ports.pick(servicesOf(resolution.addons, runtime).length) : [];
    const operation = commit(() => {
      const project = requireOwn(id);
      const begun = begin(project, kind);
      if (resolution) configure(project, resolution, picked);
      return begun;
    });
    return accepted(id, operation);
  }

  return {
    /** What else is wrong with a body that was refused already. */
    findViolations: (body: Record<string, unknown>): readonly Violation[] =>
      findViolations(body, plannedDefaults, rules()),

    async create(request: CreateProjectRequest): Promise<Accepted> {
      const { resolution, containerTierId, warnings } = settle(request, plannedDefaults);
      const services = servicesOf(resolution.addons, runtime);
      const picked = await ports.pick(services.length);
      const id = Bun.randomUUIDv7();
      const base = slugify(request.name);
      const operation = commit(() => {
        const project = insertWithFreeSlug(id, base, request, { resolution, containerTierId });
        if (project.slug !== base)
          warnings.push({
            code: "slug_changed",
            message: `The name ${base} was taken in URLs; this project has ${project.slug}.`,
          });
        const begun = begin(project, "create");
        const containerPorts = configure(project, resolution, picked);
        events.record({
          projectId: id,
          operationId: begun.id,
          type: "resolved",
          data: {
            imageRef: resolution.imageRef,
            resourceTierId: resolution.resourceTier.id,
            ports: containerPorts,
          },
        });
        return begun;
      });
      return accepted(id, operation, warnings);
    },

    /** @throws ApiError `project_not_found` */
    get: (id: string): Project => toProject(require(id)),

    find(id: string): Project | undefined {
      const project = getProjectById(db, id);
      return project && toProject(project);
    },

    list: (page: ProjectPage): Project[] => listProjects(db, page).map(toProject),

    async update(id: string, request: UpdateProjectRequest): Promise<Accepted> {
      const seen = requireOwn(id);
      const reconfigures = (["resourceTierId", "flavorId", "addonIds", "containerTierId"] as const).some(
        (field) => request[field] !== undefined,
      );
      const chosen = reconfigures ? settle(request, seen) : undefined;
      const changes = chosen !== undefined && differs(seen, chosen.resolution);
      const picked = changes ? await ports.pick(servicesOf(chosen.resolution.addons, runtime).length) : [];
      const operation = commit(() => {
        const project = requireOwn(id);
        updateProject(db, id, {
          ...(request.name === undefined ? {} : { name: request.name }),
          ...(request.description === undefined ? {} : { description: request.description }),
          ...(chosen === undefined || chosen.containerTierId === null
            ? {}
            : { containerTierId: chosen.containerTierId }),
        });
        if (!changes) return null;
        if (project.desiredState !== "running") {
          refuseWhileBusy(project);
          configure(project, chosen.resolution, picked);
          return null;
        }
        const begun = begin(project, "update");
        configure(project, chosen.resolution, picked);
        events.record({
          projectId: id,
          operationId: begun.id,
          type: "updating",
          data: { imageRef: chosen.resolution.imageRef, resourceTierId: chosen.resolution.resourceTier.id },
        });
        return begun;
      });
      return accepted(id, operation, chosen?.warnings ?? []);
    },

    async remove(id: string): Promise<Accepted> {
      const operation = commit(() => {
        const project = requireOwn(id);
        const begun = begin(project, "delete");
        events.record({ projectId: id, operationId: begun.id, type: "deleting" });
        return begun;
      });
      return accepted(id, operation);
    },

    deploy: (id: string) => transition(id, "deploy"),
    start: (id: string) => transition(id, "start"),
    stop: (id: string) => transition(id, "stop"),
    restart: (id: string) => transition(id, "restart"),

    /** Other host ports for all services, after one was found taken by something else. */
    async reallocatePorts(project: ProjectRecord): Promise<void> {
      const services = project.ports.map(({ name, containerPort }) => ({ name, containerPort }));
      const picked = await ports.pick(services.length);
      db.transaction(() => {
        releasePorts(db, project.id);
        const allocated = ports.assign(project.id, services, picked);
        const context = deps.context();
        const { addons } = settle({}, project).resolution;
        updateProject(db, project.id, urlsOf(allocated, generateProjectUrls(project.slug, addons, context)));
      }).immediate();
    },
  };

  function refuseWhileBusy(project: ProjectRecord): void {
    const active = getActiveOperation(db, project.id);
    if (active)
      throw new ApiError("operation_in_progress", "Another operation on this project is at work; wait for its end.", {
        operationId: active.id,
      });
  }

  function insertWithFreeSlug(
    id: string,
    base: string,
    request: CreateProjectRequest,
    { resolution, containerTierId }: { resolution: ImageResolution; containerTierId: string | null },
  ): ProjectRecord {
    for (const slug of slugCandidates(base)) {
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
  }
}

function differs(project: ConfigChoice, resolution: ImageResolution): boolean {
  return (
    project.resourceTierId !== resolution.resourceTier.id ||
    project.flavorId !== resolution.flavor.id ||
    project.addonIds.join() !== resolution.addons.map(({ id }) => id).join()
  );
}
