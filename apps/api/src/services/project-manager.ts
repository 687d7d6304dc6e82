import type {
  CreateProjectRequest,
  Operation,
  Project,
  UpdateProjectRequest,
  Violation,
  Warning,
} from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { ApiError } from "../http/problem.ts";
import {
  getProjectById,
  listProjects,
  toProject,
  updateProject,
  type ProjectPage,
  type ProjectRecord,
} from "../models/project.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { EventLog } from "./event-log.ts";
import { createIdempotency, type KeyedRequest } from "./idempotency.ts";
import type { ImageResolution, ResolverContext } from "./image-resolver.ts";
import type { OperationRunner } from "./operation-runner.ts";
import type { PortBook } from "./port-book.ts";
import { chooseConfig, findGone, findViolations, type ConfigChoice, type ConfigRequest } from "./project-config.ts";
import { ownerOf } from "./project-owner.ts";
import { createProjectWriter } from "./project-writer.ts";
import { servicesOf } from "./sandbox-spec.ts";
import type { SecretBox } from "./secret-box.ts";

export interface ProjectManagerDeps {
  db: Database;
  runtime: Runtime;
  runner: Pick<OperationRunner, "submit" | "cancel">;
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
  /** Set when an earlier request with the same key was answered so, and this one did nothing. */
  replayed?: true;
}

export type ProjectManager = ReturnType<typeof createProjectManager>;

const defaultAddonId = "code-server";

const configFields = ["resourceTierId", "flavorId", "addonIds", "containerTierId"] as const;

/** Every change of a project: decided here, recorded in one transaction, carried out by the runner. */
export function createProjectManager(deps: ProjectManagerDeps) {
  const { db, runtime, runner, events, ports } = deps;
  const writer = createProjectWriter(deps);
  const idempotency = createIdempotency(deps);
  /** What a create without them gets: the catalog's defaults, and VS Code where there is one. */
  function defaults(): ConfigChoice {
    const { tiers, flavors, addons } = deps.context();
    return {
      resourceTierId: tiers.find(({ isDefault }) => isDefault)?.id ?? "starter",
      flavorId: flavors.find(({ isDefault }) => isDefault)?.id ?? "fullstack",
      addonIds: addons.some(({ id }) => id === defaultAddonId) ? [defaultAddonId] : [],
    };
  }

  const rules = () => ({ context: deps.context(), runtime, sunsetAt: deps.sunsetAt, now: deps.now() });

  function settle(request: ConfigRequest, fallback: ConfigChoice) {
    const chosen = chooseConfig(request, fallback, rules());
    if (chosen.ok) return chosen;
    const { violations } = chosen;
    const isSunset = violations.some(({ code }) => code === "container_tiers_sunset");
    const detail = violations.map(({ message }) => message).join("; ");
    throw new ApiError(isSunset ? "container_tiers_sunset" : "invalid_configuration", detail, { errors: violations });
  }

  const pickFor = async (resolution: ImageResolution): Promise<number[] | null> =>
    runtime.capabilities.hostPorts ? await ports.pick(servicesOf(resolution.addons, runtime).length) : null;

  function find(id: string): ProjectRecord {
    const project = getProjectById(db, id);
    if (!project) throw new ApiError("project_not_found", "No project has this id.");
    return project;
  }

  /** A project that can be worked on here: one from before runtimes is taken over, another runtime's is refused. */
  function findOwn(id: string): ProjectRecord {
    const project = find(id);
    const owner = ownerOf(project) ?? runtime.name;
    if (owner === runtime.name) return project;
    const fix = `This API serves ${runtime.name}; one that serves ${owner} can do this.`;
    throw new ApiError("runtime_mismatch", `The project lives on the ${owner} runtime. ${fix}`);
  }

  const answered = (keyed: KeyedRequest | undefined) => keyed && idempotency.find(keyed);

  /** Runs `change` and keeps its answer for the key in one transaction, then starts what it recorded. */
  function commit(keyed: KeyedRequest | undefined, change: () => Accepted): Accepted {
    const answer = db
      .transaction(() => {
        // Looked for again: of requests that came at once, another may have been first.
        const earlier = answered(keyed);
        if (earlier) return earlier;
        const made = change();
        if (keyed) idempotency.record(keyed, made);
        return made;
      })
      .immediate();
    if (answer.replayed) return answer;
    events.wake();
    if (answer.operation) runner.submit(answer.operation.id);
    return answer;
  }

  const accepted = (id: string, operation: Operation | null, warnings: Warning[] = []): Accepted => ({
    project: toProject(find(id)),
    operation,
    warnings,
  });

  async function transition(
    id: string,
    kind: "deploy" | "start" | "stop" | "restart",
    keyed?: KeyedRequest,
  ): Promise<Accepted> {
    const earlier = answered(keyed);
    if (earlier) return earlier;
    const seen = findOwn(id);
    // A deploy resolves again, so that it takes up a newer image; other verbs only what was never resolved,
    // or lost its services to an older version of the database, which kept none without a port on this host.
    const isResolved = seen.generation > 0 && seen.ports.length > 0;
    const resolves = kind === "deploy" || (kind !== "stop" && !isResolved);
    const resolution = resolves ? settle({}, seen).resolution : undefined;
    const picked = resolution ? await pickFor(resolution) : null;
    return commit(keyed, () => {
      const project = unchangedSince(seen);
      const begun = writer.begin(project, kind);
      if (resolution) writer.configure(project, resolution, picked);
      return accepted(id, begun);
    });
  }

  /** Two changes that start from the same state cannot both be right: the later one is told. */
  function unchangedSince(seen: ProjectRecord): ProjectRecord {
    const project = findOwn(seen.id);
    if (project.generation === seen.generation) return project;
    writer.refuseWhileBusy(seen.id);
    throw new ApiError(
      "conflict",
      "The project's configuration changed while this request was at work; send it again.",
    );
  }

  return {
    /** What else is wrong with a body that was refused already. */
    findViolations: (body: Record<string, unknown>): readonly Violation[] => findViolations(body, defaults(), rules()),

    /** The same, for a change: what the other fields are worth depends on the project. */
    findGone: (body: Record<string, unknown>): readonly Violation[] => findGone(body, rules()),

    async create(request: CreateProjectRequest, keyed?: KeyedRequest): Promise<Accepted> {
      const earlier = answered(keyed);
      if (earlier) return earlier;
      const chosen = settle(request, defaults());
      const { resolution, warnings } = chosen;
      const picked = await pickFor(resolution);
      const id = Bun.randomUUIDv7();
      return commit(keyed, () => {
        const project = writer.insert(id, request, chosen);
        const plainSlug = writer.slugOf(request.name);
        if (project.slug !== plainSlug) {
          const message = `The slug ${plainSlug} is another project's; this one has ${project.slug}.`;
          warnings.push({ code: "slug_changed", message });
        }
        const begun = writer.begin(project, "create");
        const containerPorts = writer.configure(project, resolution, picked);
        const data = {
          imageRef: resolution.imageRef,
          resourceTierId: resolution.resourceTier.id,
          ports: containerPorts,
        };
        events.record({ projectId: id, operationId: begun.id, type: "resolved", data });
        return accepted(id, begun, warnings);
      });
    },

    /** @throws ApiError `project_not_found` */
    get: (id: string): Project => toProject(find(id)),

    find(id: string): Project | undefined {
      const project = getProjectById(db, id);
      return project && toProject(project);
    },

    list: (page: ProjectPage): Project[] => listProjects(db, page).map(toProject),

    async update(id: string, request: UpdateProjectRequest, keyed?: KeyedRequest): Promise<Accepted> {
      const earlier = answered(keyed);
      if (earlier) return earlier;
      const reconfigures = configFields.some((field) => request[field] !== undefined);
      // What it is called can change wherever it lives.
      const seen = reconfigures ? findOwn(id) : find(id);
      const chosen = reconfigures ? settle(request, seen) : undefined;
      const changes = chosen !== undefined && differs(seen, chosen.resolution);
      const picked = changes ? await pickFor(chosen.resolution) : null;
      const warnings = chosen?.warnings ?? [];
      return commit(keyed, () => {
        const project = changes ? unchangedSince(seen) : find(id);
        const { name, description } = request;
        updateProject(db, id, { name, description, containerTierId: chosen?.containerTierId ?? undefined });
        if (!changes) return accepted(id, null, warnings);
        if (project.desiredState !== "running") {
          writer.refuseWhileBusy(id);
          writer.configure(project, chosen.resolution, picked);
          return accepted(id, null, warnings);
        }
        const begun = writer.begin(project, "update");
        writer.configure(project, chosen.resolution, picked);
        const { imageRef, resourceTier } = chosen.resolution;
        const data = { imageRef, resourceTierId: resourceTier.id };
        events.record({ projectId: id, operationId: begun.id, type: "updating", data });
        return accepted(id, begun, warnings);
      });
    },

    /** Whatever else is at work on the project is cut off: nobody needs its end any more. */
    async remove(id: string, keyed?: KeyedRequest): Promise<Accepted> {
      let cancelled: string | null = null;
      const answer = commit(keyed, () => {
        const project = findOwn(id);
        cancelled = writer.cancelActive(id);
        const begun = writer.begin(project, "delete");
        events.record({ projectId: id, operationId: begun.id, type: "deleting" });
        return accepted(id, begun);
      });
      if (cancelled !== null) runner.cancel(cancelled);
      return answer;
    },

    deploy: (id: string, keyed?: KeyedRequest) => transition(id, "deploy", keyed),
    start: (id: string, keyed?: KeyedRequest) => transition(id, "start", keyed),
    stop: (id: string, keyed?: KeyedRequest) => transition(id, "stop", keyed),
    restart: (id: string, keyed?: KeyedRequest) => transition(id, "restart", keyed),

    /** Other host ports for all services, after one was found taken by something else. */
    async reallocatePorts(project: ProjectRecord): Promise<void> {
      const picked = await ports.pick(project.ports.length);
      const { resolution } = settle({}, project);
      db.transaction(() => writer.movePorts(project, resolution, picked)).immediate();
    },
  };
}

function differs(project: ConfigChoice, resolution: ImageResolution): boolean {
  return (
    project.resourceTierId !== resolution.resourceTier.id ||
    project.flavorId !== resolution.flavor.id ||
    project.addonIds.join() !== resolution.addons.map(({ id }) => id).join()
  );
}
