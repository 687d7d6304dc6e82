import type { CoolifyFake, FaultKind } from "../../src/index.ts";
import { exchanges, type Observation } from "./exchanges.ts";
import { isRecord } from "./record.ts";
import { request } from "./wait.ts";

/** A deployment's status and its application's, as they were at one time. */
export type Pair = readonly [unknown, unknown];

/** Containers that crash and images that do not exist are faults of the fake: it pulls and runs nothing. */
const FAULTS: Record<number, FaultKind> = {
  433: "crash_after_finished",
  437: "failed_deployment",
  520: "failed_deployment",
  522: "failed_deployment",
  532: "failed_deployment",
  545: "crash_after_finished",
  549: "failed_deployment",
};

/** Creates an application as the one that was observed, with its variables and storages. */
export async function createObserved(fake: CoolifyFake, recordedUuid: string): Promise<string> {
  const create = exchanges.find(({ path, response_json: json }) => {
    return path.endsWith("/applications/dockerimage") && isRecord(json) && json["uuid"] === recordedUuid;
  });
  const wanted = isRecord(create?.request_json) ? create.request_json : {};
  const place = { project_uuid: fake.projectUuid, server_uuid: fake.serverUuid, force_domain_override: true };
  const { json } = await request(fake, "POST", "/applications/dockerimage", { ...wanted, ...place });
  const uuid = String(json["uuid"]);
  const parts = new RegExp(`^/api/v1/applications/${recordedUuid}/(envs|envs/bulk|storages)$`);
  for (const { method, path, request_json } of exchanges) {
    const part = parts.exec(path)?.[1];
    if (part && method !== "GET") await request(fake, method, `/applications/${uuid}/${part}`, request_json);
  }
  return uuid;
}

/** Starts it as the recording did and watches until nothing is to come any more. */
export async function deployAndWatch(fake: CoolifyFake, uuid: string, observation: Observation) {
  const kind = FAULTS[observation.after];
  if (kind) fake.faults.add({ kind, times: 1, match: { path: new RegExp(uuid) } });
  const { json } = await request(fake, "POST", `/applications/${uuid}/start`);
  return watch(fake, String(json["deployment_uuid"]));
}

/** Every pair a deployment and its application go through on a stepped fake, and the deployment's log at the end. */
export async function watch(fake: CoolifyFake, deployment: string) {
  const seen: Pair[] = [];
  for (;;) {
    const { json } = await request(fake, "GET", `/deployments/${deployment}`);
    const pair = [json["status"], json["application"]?.["status"]] as const;
    if (String(seen.at(-1)) !== String(pair)) seen.push(pair);
    if (!fake.step()) return { seen, log: String(json["logs"]) };
  }
}

/** Whether these pairs were gone through in this order, whatever came in between. */
export function contains(seen: readonly Pair[], wanted: readonly Pair[]): boolean {
  let at = 0;
  for (const pair of seen) if (String(pair) === String(wanted[at])) at++;
  return at === wanted.length;
}

/** The application that an observation is about. */
export function observedUuid({ after }: Observation): string {
  const path = exchanges[after - 1]?.path ?? "";
  return /applications\/([a-z0-9]{24})/.exec(path)?.[1] ?? /uuid=([a-z0-9]{24})/.exec(path)?.[1] ?? "";
}
