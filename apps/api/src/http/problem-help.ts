import type { ProblemCode, ViolationCode } from "@agentpod/types";

/** What a code means, and what to do about it. */
export interface Help {
  means: string;
  fix: string;
}

export const PROBLEM_HELP: Record<ProblemCode, Help> = {
  invalid_request: {
    means: "The query, a header or the body cannot be read: an unknown parameter, no body, no JSON, no JSON object.",
    fix: "See `errors`; each entry names the place.",
  },
  validation_failed: {
    means: "The body is a JSON object, but a field is missing, unknown, of another type or out of bounds.",
    fix: "See `errors`; all findings are listed at once.",
  },
  unsupported_media_type: {
    means: "The body came without `Content-Type: application/json`.",
    fix: "Send that header, with UTF-8 if a charset is named.",
  },
  body_too_large: {
    means: "The body is over 256 KiB, or of one for an agent's gateway, over what that takes.",
    fix: "Send less.",
  },
  unauthorized: {
    means: "The API has a token and the request came without it, or with another one.",
    fix: "Send `Authorization: Bearer <token>`.",
  },
  forbidden: { means: "The token is known but lacks the scope that `detail` names.", fix: "Use a token that has it." },
  host_not_allowed: {
    means: "The API has no token, so it serves this machine alone, and the Host header names something else.",
    fix: "Call it as 127.0.0.1, localhost or [::1], or configure `API_TOKEN`.",
  },
  origin_not_allowed: {
    means:
      "A web page of another origin called, which could act in the name of its reader. Other ports of this machine are other origins: sandboxes publish pages there.",
    fix: "Call from the API's own origin, or add the page's origin to `ALLOWED_ORIGINS`.",
  },
  not_found: { means: "No route has this path.", fix: "Look the path up in `/docs`." },
  method_not_allowed: { means: "The path is known, but not with this method.", fix: "Use one that `Allow` lists." },
  resource_tier_not_found: { means: "No resource tier has this id.", fix: "`GET /api/resource-tiers` lists them." },
  flavor_not_found: { means: "No flavor has this id.", fix: "`GET /api/flavors` lists them." },
  addon_not_found: { means: "No addon has this id.", fix: "`GET /api/addons` lists them." },
  container_tier_not_found: {
    means: "No deprecated container tier has this id.",
    fix: "`GET /api/container-tiers` lists them; better use resource tiers, flavors and addons.",
  },
  container_tiers_sunset: {
    means: "The deprecated container tiers are gone since the date in `detail`.",
    fix: "Send `resourceTierId`, `flavorId` and `addonIds` instead of `containerTierId`.",
  },
  project_not_found: { means: "No project has this id.", fix: "`GET /api/projects` lists them." },
  provider_not_found: { means: "No provider has this id.", fix: "`GET /api/providers` lists them." },
  credentials_not_found: {
    means: "The provider has no credential, or none with this label.",
    fix: "`GET /api/providers/{id}` lists the labels of those it has.",
  },
  conflict: {
    means: "Something else changed the same thing meanwhile; nothing of this request was done.",
    fix: "Look at the project as it is now and send the request again.",
  },
  invalid_configuration: {
    means: "The tier, flavor and addons do not go together, or one of them is not in the catalog.",
    fix: "See `errors`: each has the smallest change that fixes it.",
  },
  id_taken: { means: "An entry with this id is there already.", fix: "Choose another id, or PATCH the entry." },
  in_use: {
    means: "The entry is the default, or something is made from it.",
    fix: "Make another one the default, or change or delete what uses it.",
  },
  idempotency_key_reused: {
    means:
      "The `Idempotency-Key` came with another request (method, path or body) in the last 24 hours. Nothing of this one was done.",
    fix: "Send a key of its own with each request, and the same one only to send the same request again.",
  },
  operation_in_progress: {
    means: "Another operation works on this project; `operationId` names it.",
    fix: "Wait for its end: the project's events tell.",
  },
  runtime_mismatch: {
    means: "The project's sandbox lives on another runtime than this API serves.",
    fix: "Start the API with the runtime that `detail` names.",
  },
  not_running: {
    means: "The project has no sandbox now, or one that does not run.",
    fix: "Start the project first, or wait for the operation that `detail` names.",
  },
  gateway_unreachable: {
    means:
      "The project runs, but the gateway in its sandbox did not answer, or does not know its token. `detail` tells what was seen.",
    fix: "Try again soon. If it stays so, look at the project's status and log, and deploy it again.",
  },
  runtime_unavailable: {
    means: "The runtime does not answer, such as a stopped Docker engine.",
    fix: "Bring it back; `GET /ready` tells when it answers.",
  },
  storage_unavailable: {
    means: "The disk that holds the database is full or cannot be written. Nothing of the request was done.",
    fix: "Free some space on it, then send the request again.",
  },
  not_ready: { means: "Something the API stands on is missing; `checks` says what.", fix: "See the check's code." },
  internal: {
    means: "A bug, or a machine in trouble. Nothing of it is told here.",
    fix: "Look `requestId` up in the API's log.",
  },
};

export const VIOLATION_HELP: Record<ViolationCode, string> = {
  required: "The field, or the body, is missing.",
  invalid_type: "A value of another JSON type is needed.",
  invalid_value: "The value is none of the known ones, or does not fit the others.",
  invalid_format: "The text does not have the form it must have.",
  too_short: "The text has too few characters, or the list too few items.",
  too_long: "The text has too many characters, or the list too many items.",
  too_small: "The number is below its limit.",
  too_big: "The number is over its limit.",
  unknown_field: "No field or parameter has this name; a near one is suggested.",
  malformed_json: "The body is not JSON in UTF-8.",
  resource_tier_not_found: "No resource tier has this id.",
  flavor_not_found: "No flavor has this id.",
  addon_not_found: "No addon has this id.",
  container_tier_not_found: "No deprecated container tier has this id.",
  container_tiers_sunset: "Deprecated container tiers are no longer taken.",
  gpu_unavailable: "The addon needs a GPU and the runtime has none.",
  addon_requires_flavor: "The addon works on another flavor only.",
  source_url_scheme: "A source is cloned over https, http, ssh or git only.",
  source_url_credentials: "The URL holds a user name or password, which would be stored and shown.",
  source_url_address: "The URL points at this machine, a link-local or another special address.",
  source_url_invalid: "The text is not a URL that git can clone from.",
  immutable_field: "The field cannot be changed after the entry was made.",
};
