import type { Application } from "@agentpod/coolify";
import { RuntimeError } from "../runtime.ts";
import { ask, askFor } from "./coolify-error.ts";
import { readMarker } from "./marker.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";

type Deps = Pick<CoolifyRuntimeOptions, "client" | "instanceId" | "records">;

export interface Found {
  /** The one that counts. */
  kept: Application | null;
  /**
   * Others made for the same project and never configured: each comes of a request whose answer was
   * lost. One may turn up long after that.
   */
  doubles: Application[];
  /** Others that were configured, as when somebody cloned the application in Coolify. */
  copies: Application[];
}

/** The project's applications among all there are. */
export function sortOut(
  applications: readonly Application[],
  { instanceId, records }: Pick<Deps, "instanceId" | "records">,
  projectId: string,
): Found {
  const recorded = records.find(projectId);
  const ours = applications.filter((app) => isOurs(app, { instanceId, projectId, recorded })).toSorted(byAge);
  const kept = ours.find(({ uuid }) => uuid === recorded) ?? ours.find(isConfigured) ?? ours[0] ?? null;
  const others = ours.filter((app) => app !== kept);
  return {
    kept,
    doubles: others.filter((app) => !isConfigured(app)),
    copies: others.filter(isConfigured),
  };
}

/** The project's application: the recorded one if it is still there, else one that has the marker. */
export async function findApplication(
  deps: Deps,
  projectId: string,
  signal?: AbortSignal,
): Promise<Application | null> {
  const { client, instanceId, records } = deps;
  const recorded = records.find(projectId);
  if (recorded !== null) {
    const app = await askFor("looking for the application", () => client.getApplication(recorded, { signal }));
    if (app && isOurs(app, { instanceId, projectId, recorded })) return app;
  }
  return sortOut(await listApplications(deps, signal), deps, projectId).kept;
}

export function listApplications({ client }: Pick<Deps, "client">, signal?: AbortSignal): Promise<Application[]> {
  return ask("listing the applications", () => client.listApplications({ signal }));
}

/** One that is recorded and has no marker at all is from before there were markers. */
function isOurs(
  app: Application,
  { instanceId, projectId, recorded }: { instanceId: string; projectId: string; recorded: string | null },
): boolean {
  const marker = readMarker(app.description);
  if (marker === null) return app.uuid === recorded;
  return marker.instanceId === instanceId && marker.projectId === projectId;
}

const isConfigured = (app: Application): boolean => readMarker(app.description)?.configured !== null;

function byAge(a: Application, b: Application): number {
  const key = ({ created_at: time, uuid }: Application) => `${typeof time === "string" ? time : ""} ${uuid}`;
  return key(a) < key(b) ? -1 : 1;
}

/** @throws RuntimeError `not_found` when the project has none */
export async function requireApplication(deps: Deps, projectId: string, signal?: AbortSignal): Promise<Application> {
  const app = await findApplication(deps, projectId, signal);
  if (app) return app;
  throw new RuntimeError("not_found", "the sandbox's application is gone from Coolify; deploy the project again");
}

/** @throws RuntimeError `unavailable` while Coolify cannot reach the application's server */
export function assertReachable({ server_status: isReachable }: Application, doing: string): void {
  if (isReachable !== false) return;
  const fix = "validate the server in Coolify, under Servers";
  throw new RuntimeError("unavailable", `${doing}: Coolify cannot reach the sandbox's server; ${fix}`);
}
