import { z } from "zod";

/** Every code an answer of the API can carry. The list is closed; docs/api-errors.md explains each. */
export const ProblemCode = z.enum([
  "invalid_request",
  "validation_failed",
  "unsupported_media_type",
  "body_too_large",
  "unauthorized",
  "forbidden",
  "host_not_allowed",
  "origin_not_allowed",
  "not_found",
  "method_not_allowed",
  "resource_tier_not_found",
  "flavor_not_found",
  "addon_not_found",
  "container_tier_not_found",
  "container_tiers_sunset",
  "project_not_found",
  "provider_not_found",
  "credentials_not_found",
  "conflict",
  "invalid_configuration",
  "id_taken",
  "in_use",
  "idempotency_key_reused",
  "operation_in_progress",
  "runtime_mismatch",
  "not_running",
  "gateway_unreachable",
  "runtime_unavailable",
  "storage_unavailable",
  "not_ready",
  "internal",
]);
export type ProblemCode = z.infer<typeof ProblemCode>;

/** Codes of single findings inside a problem's `errors`. */
export const ViolationCode = z.enum([
  "required",
  "invalid_type",
  "invalid_value",
  "invalid_format",
  "too_short",
  "too_long",
  "too_small",
  "too_big",
  "unknown_field",
  "malformed_json",
  "resource_tier_not_found",
  "flavor_not_found",
  "addon_not_found",
  "container_tier_not_found",
  "container_tiers_sunset",
  "gpu_unavailable",
  "addon_requires_flavor",
  "source_url_scheme",
  "source_url_credentials",
  "source_url_address",
  "source_url_invalid",
  "immutable_field",
]);
export type ViolationCode = z.infer<typeof ViolationCode>;

/** One finding: where, what, and the smallest change that would fix it. */
export const Violation = z
  .object({
    /** Dotted path into the body or query, such as `addonIds.0`; empty for the whole. */
    path: z.string(),
    code: ViolationCode,
    message: z.string(),
    fix: z.string().optional(),
  })
  .meta({ id: "Violation" });
export type Violation = z.infer<typeof Violation>;

/** RFC 9457 problem details, plus `error` for clients that only look for that. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: ProblemCode,
    requestId: z.string(),
    error: z.string(),
    errors: z.array(Violation).optional(),
    /** With `operation_in_progress`: the operation that is running. */
    operationId: z.string().optional(),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof Problem>;

/** Something worth knowing about an accepted request. */
export const Warning = z.object({ code: z.string(), message: z.string() }).meta({ id: "Warning" });
export type Warning = z.infer<typeof Warning>;

/** What `POST /api/images/validate` answers. */
export const ValidationResult = z
  .object({
    valid: z.boolean(),
    errors: z.array(z.string()),
    warnings: z.array(z.string()),
    /** The errors again, coded and with fixes, in the same order. */
    violations: z.array(Violation),
  })
  .meta({ id: "ValidationResult" });
export type ValidationResult = z.infer<typeof ValidationResult>;
