import { invalid, ok, refuse, says } from "../answer.ts";
import { applicationOf, type Call, type Handler } from "../call.ts";
import { queueDeployment } from "../deploy/queue.ts";
import { PATCH_FIELDS } from "../rules/application-fields.ts";
import { type Body, strictBody, textOf } from "../rules/body.ts";
import { readDomains, refuseConflicts } from "../rules/domains.ts";
import { checkFields, isTrue } from "../rules/fields.ts";
import { generatedLabels } from "../rules/labels.ts";
import type { Application } from "../state.ts";
import { hasProxy, timestamp, type World } from "../world.ts";
import { refusePlainLabels, storeFields } from "./store-fields.ts";

/** Only these in a request make Coolify write the labels of the proxy anew. */
const RELABELLING = [
  "domains",
  "noindex_domains",
  "is_http_basic_auth_enabled",
  "http_basic_auth_username",
  "http_basic_auth_password",
  "is_gzip_enabled",
  "is_stripprefix_enabled",
];

/** PATCH /applications/{uuid}: stores, and touches nothing that runs. */
export const patchApplication: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const application = applicationOf(world, call, "Application not found");
  refuseBadPorts(body);
  refuseHalfAuth(body, application);
  checkFields(body, PATCH_FIELDS);
  refusePlainLabels(body);
  const fqdn = newDomains(world, call, application, body);

  const { columns } = application;
  storeFields(application, body);
  for (const field of ["docker_registry_image_name", "docker_registry_image_tag"] as const) {
    const value = body[field];
    if (typeof value === "string") columns[field] = value;
  }
  if (fqdn !== undefined) columns.fqdn = fqdn;
  if (typeof body["custom_labels"] === "string") setLabels(application, body["custom_labels"], true);
  else if (relabels(body, fqdn)) setLabels(application, generatedLabels(application), false);
  application.updated_at = timestamp();
  if (isTrue(body["instant_deploy"])) {
    const { outcome } = queueDeployment(world, application, { cause: call });
    if (outcome === "already_queued") return says(200, "Deployment already queued for this commit.");
  }
  return ok({ uuid: application.uuid });
};

/** What `domains` is to become; undefined when it is not sent, or when no proxy runs and it is ignored. */
function newDomains(world: World, call: Call, application: Application, body: Body): string | null | undefined {
  if (body["domains"] === undefined || !hasProxy(world, application.destination.server, call)) return undefined;
  const domains = readDomains(body["domains"]);
  if (domains.invalid.length > 0) refuse(invalid(domains.invalid.map((item) => `Invalid URL: ${item}`)));
  if (!isTrue(body["force_domain_override"])) refuseConflicts(world, domains.items, application);
  return domains.fqdn;
}

const relabels = (body: Body, fqdn: string | null | undefined) =>
  RELABELLING.some((field) => body[field] !== undefined && (field !== "domains" || fqdn !== undefined));

function setLabels(application: Application, labels: string, inBase64: boolean) {
  application.columns.custom_labels = labels;
  application.labelsAreBase64 = inBase64;
}

/** Checked before all other fields, with a message of another form. */
function refuseBadPorts(body: Body) {
  const ports = body["ports_exposes"];
  if (ports === undefined) return;
  const items = textOf(ports).split(",");
  if (items.some((port) => port.trim() === "" || Number.isNaN(Number(port)))) {
    refuse(invalid({ ports_exposes: "The ports_exposes should be a comma separated list of numbers." }));
  }
}

function refuseHalfAuth(body: Body, { columns }: Application) {
  if (!isTrue(body["is_http_basic_auth_enabled"])) return;
  for (const field of ["http_basic_auth_username", "http_basic_auth_password"] as const) {
    if (!body[field] && !columns[field]) {
      refuse(invalid({ [field]: `${field} is required because is_http_basic_auth_enabled is true.` }));
    }
  }
}
