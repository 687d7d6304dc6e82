import type { Exchange } from "./exchanges.ts";
import { isRecord } from "./record.ts";

type Body = unknown;
type Extract = (body: Body, recorded: Body) => Body;

/** Of some answers the recording keeps only a part, or something read out of it; this does the same to the fake's. */
export function extract({ label, response_json: recorded }: Exchange, body: Body): Body {
  const own = EXTRACTS[label];
  const known = own ? own(body, recorded) : SHORTENED.test(label) ? pick(recorded, body) : body;
  return withPortsOnly(recorded, known);
}

/** Whether values count, not only their form: the recording shows this to tell what is stored. */
export const tellsValues = ({ label }: Exchange) => SHORTENED.test(label) || label in EXTRACTS;

const SHORTENED =
  /^ +(?:stored|after|labels|that)|^stale labels: |^list applications|^app B before|\(worker\) application running$|^\(queue\) deployment$|^\(no worker\) status|^\(no proxy\) after$|^custom_labels after PATCH$|^\(server unreachable\) (?:servers|application)/;

const EXTRACTS: Record<string, Extract> = {
  "list applications": (body, recorded) => {
    const shown = list(recorded).filter(isRecord);
    const found = shown.map(({ name, fqdn }) =>
      list(body).find(
        (one) => isRecord(one) && nameOf(one) === nameOf({ name }) && (!isOwn(fqdn) || one["fqdn"] === fqdn),
      ),
    );
    return [
      ...shown.map((one, index) => pick(one, found[index])),
      `_trimmed: ${list(body).length} elements, each with all fields of GET one application less settings`,
    ];
  },
  "env bulk is upsert only: others stay": (body, recorded) => [
    ...list(pick(list(recorded).slice(0, -1), body)),
    "_trimmed",
  ],
  "   first item was stored all the same": (body) => {
    const keys = list(body).map((one) => (isRecord(one) ? one["key"] : null));
    return keys.filter((key) => typeof key === "string" && /^PART_|^bad/.test(key));
  },
  "   DUP after": (body, recorded) => pick(recorded, withKey(body, "DUP")),
  "   preview twin remains": (body, recorded) => pick(recorded, withKey(body, "OPENAI_API_KEY")),
  "env bulk 60 variables": (body) => ["_trimmed", list(body).length, list(body)[0]],
  "   after": (body, recorded) => readOut(body, recorded),
  "custom_labels given at create are replaced by generated ones": (body, recorded) => pick(recorded, shortLabels(body)),
  "custom_labels after PATCH domains: generated again": (body, recorded) => pick(recorded, shortLabels(body)),
};

/** The same keys as recorded, all the way down. */
function pick(recorded: unknown, body: unknown): unknown {
  if (Array.isArray(recorded)) {
    return list(body).map((one, index) => pick(recorded[Math.min(index, recorded.length - 1)], one));
  }
  if (!isRecord(recorded) || !isRecord(body)) return body;
  const kept = Object.keys(recorded).filter((key) => key in body);
  return Object.fromEntries(kept.map((key) => [key, pick(recorded[key], body[key])]));
}

/** What the recorder read out of the labels of an application. */
function readOut(body: unknown, recorded: unknown): unknown {
  if (!isRecord(body) || !isRecord(recorded)) return body;
  const labels = labelsOf(body);
  if ("force" in recorded) {
    const settings = isRecord(body["settings"]) ? body["settings"] : {};
    return {
      force: settings["is_force_https_enabled"],
      redirect_label_still_there: labels.includes("redirect-to-https"),
    };
  }
  if ("basicauth label" in recorded) {
    const found = labels.split("\n").filter((label) => /basicauth\.(?:users|u)=/.test(label));
    const hidden = found.map((label) => label.replace(/\$2y\$[^"]+/, "(hash)"));
    return { is_http_basic_auth_enabled: body["is_http_basic_auth_enabled"], "basicauth label": hidden };
  }
  return pick(recorded, body);
}

function withPortsOnly(recorded: unknown, body: unknown): unknown {
  if (!isRecord(recorded) || !isRecord(body)) return body;
  const shown = recorded["custom_labels"];
  if (typeof shown !== "string" || !shown.startsWith("(service ports only)")) return body;
  const ports = [...labelsOf(body).matchAll(/services\.(https?-\d+)-\w+\.loadbalancer\.server\.port=(\d+)/g)];
  const rendered = ports.map(([, service, port]) => `('${service}', '${port}')`).join(", ");
  return { ...body, custom_labels: `(service ports only) [${rendered}]` };
}

function shortLabels(body: unknown): unknown {
  if (!isRecord(body)) return body;
  return { ...body, custom_labels: `${labelsOf(body).slice(0, 120)}…` };
}

const labelsOf = ({ custom_labels: labels }: Record<string, unknown>) => (typeof labels === "string" ? labels : "");
const withKey = (body: unknown, key: string) => list(body).filter((one) => isRecord(one) && one["key"] === key);
const list = (body: unknown): unknown[] => (Array.isArray(body) ? body : []);
const isOwn = (fqdn: unknown) => typeof fqdn === "string";
const nameOf = ({ name }: Record<string, unknown>) => String(name).replace(/[a-z0-9]{24}$/, "");
