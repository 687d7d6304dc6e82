import { z } from "zod";
import { ProjectStatus, RuntimeName, SandboxState } from "./project.ts";

/**
 * How what runs differs from what is asked for. `outdated`: an older configuration runs; `crashing`: it
 * ends again and again; `failed`: its last operation failed; `orphan`: left of a deleted project;
 * `unknown`: this installation's by its mark, but no record explains it.
 */
export const DriftKind = z.enum([
  "not_running",
  "not_stopped",
  "outdated",
  "crashing",
  "failed",
  "orphan",
  "unknown",
  "unreachable",
]);
export type DriftKind = z.infer<typeof DriftKind>;

/** `watching`: acted on when the next look shows the same; `waiting`: tried again at a later look. */
export const DriftAction = z.enum(["repairing", "retrying", "swept", "watching", "waiting", "none"]);
export type DriftAction = z.infer<typeof DriftAction>;

export const DriftEntry = z
  .object({
    projectId: z.string(),
    kind: DriftKind,
    /** What is wrong, and what would help where the control plane does nothing by itself. */
    message: z.string(),
    /** Null for what the database does not know. */
    desiredState: z.enum(["running", "stopped", "deleted"]).nullable(),
    status: ProjectStatus.nullable(),
    observedState: SandboxState.nullable(),
    action: DriftAction,
    /** The operation that puts it right. */
    operationId: z.string().nullable(),
  })
  .meta({ id: "DriftEntry" });
export type DriftEntry = z.infer<typeof DriftEntry>;

/** What `GET /api/runtime/drift` answers. */
export const DriftReport = z
  .object({
    runtime: RuntimeName,
    /** When the runtime was last looked at; null before the first look. */
    checkedAt: z.iso.datetime().nullable(),
    /** Why the last look found out nothing; `drift` is empty then. */
    error: z.string().nullable(),
    /** How many differences there are; `drift` has the first 1000. */
    total: z.int(),
    /** Projects with an operation at work are left out: they are on their way. */
    drift: z.array(DriftEntry),
  })
  .meta({ id: "DriftReport" });
export type DriftReport = z.infer<typeof DriftReport>;
