import type { Application } from "@agentpod/coolify";
import { RuntimeError } from "../runtime.ts";
import { cancelDeployments } from "./cancel-deployments.ts";
import { askFor } from "./coolify-error.ts";
import { assertReachable, listApplications, sortOut } from "./find-application.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { persist, poll, type PollOptions } from "./poll.ts";

/** All that is the application's own; the images on the server may be others' too. */
const EVERYTHING = {
  delete_volumes: true,
  delete_configurations: true,
  docker_cleanup: false,
  delete_connected_networks: true,
};

/** One that was asked for and thought lost may turn up while the others go. */
const ROUNDS_MAX = 5;

/** Removes every application of the project with its data, and waits until they are gone. Already gone is fine. */
export async function removeApplications(
  context: CoolifyRuntimeOptions,
  projectId: string,
  signal?: AbortSignal,
): Promise<void> {
  const { pollMs, deployTimeoutMs: timeoutMs, records } = context;
  const wait = { pollMs, timeoutMs, signal };
  const list = () => listApplications(context, signal);
  for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
    const all = await persist(list, { ...wait, waitingFor: "Coolify to list the applications" });
    const { kept, doubles, copies } = sortOut(all, context, projectId);
    if (!kept) {
      if (records.find(projectId) !== null) records.save(projectId, null);
      return;
    }
    for (const app of [kept, ...doubles, ...copies]) await removeApplication(context, app, wait);
  }
  throw new RuntimeError("unavailable", "applications of the sandbox keep turning up in Coolify");
}

async function removeApplication(
  context: CoolifyRuntimeOptions,
  app: Application,
  wait: Omit<PollOptions, "waitingFor">,
): Promise<void> {
  const { client } = context;
  const { uuid } = app;
  const { signal } = wait;
  // Coolify would forget the application all the same, and leave its container and data where they are.
  assertReachable(app, "deleting the sandbox");
  const waitingFor = "Coolify to delete the application";
  // What a deployment brings up after the deletion would be nobody's.
  await persist(() => cancelDeployments(context, uuid, signal), { ...wait, waitingFor });
  const remove = () => client.deleteApplication(uuid, EVERYTHING, { signal });
  await persist(() => askFor("deleting the application", remove), { ...wait, waitingFor });
  const look = () => askFor("looking for the application", () => client.getApplication(uuid, { signal }));
  await poll(async () => ((await look()) === null ? true : undefined), { ...wait, waitingFor });
}

/** Has the doubles deleted, and does not wait for it. What fails here, the next look finds again. */
export async function removeDoubles(
  { client, logger }: Pick<CoolifyRuntimeOptions, "client" | "logger">,
  projectId: string,
  doubles: readonly Application[],
  signal?: AbortSignal,
): Promise<void> {
  for (const { uuid: appUuid } of doubles) {
    try {
      await askFor("deleting a double", () => client.deleteApplication(appUuid, EVERYTHING, { signal }));
      logger.info({ projectId, appUuid }, "a double of the project's application is deleted");
    } catch (error) {
      if (!(error instanceof RuntimeError) || signal?.aborted) throw error;
      logger.warn({ err: error, projectId, appUuid }, "a double of the project's application cannot be deleted now");
    }
  }
}
