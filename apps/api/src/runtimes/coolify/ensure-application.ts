import { CoolifyError, type Application, type ApplicationPatch } from "@agentpod/coolify";
import { RuntimeError, type SandboxSpec, type Step } from "../runtime.ts";
import { applicationSettings } from "./application-settings.ts";
import { containerVariables, otherVariables } from "./container-variables.ts";
import { ask, toRuntimeError } from "./coolify-error.ts";
import { listApplications, sortOut } from "./find-application.ts";
import { readMarker, readVariables, writeDescription } from "./marker.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { removeDoubles } from "./remove-application.ts";
import { secretsOf } from "../redact.ts";

/** The project's one application in Coolify, with the settings of the spec; nothing that runs is touched. */
export function createApplicationStep(context: CoolifyRuntimeOptions): Step {
  return {
    name: "application",
    run: async (spec, { report, signal }) => {
      const { client, records } = context;
      const settings = await wantedSettings(context, spec, signal);
      const found = sortOut(await listApplications(context, signal), context, spec.projectId);
      if (found.copies.length > 0) warnOfCopies(context, spec, found.copies);
      await removeDoubles(context, spec.projectId, found.doubles, signal);
      const app = found.kept ?? (await makeOrAdopt(context, spec, settings, signal));
      if (records.find(spec.projectId) !== app.uuid) records.save(spec.projectId, app.uuid);
      if (!found.kept) report("created", { applicationUuid: app.uuid });
      const description = describe(context, spec, app.description);
      const update = () =>
        client.updateApplication(app.uuid, { ...settings, name: spec.slug, description }, { signal });
      await ask("configuring the application", update, secretsOf(spec));
      await assertDomains(context, spec, app.uuid, signal);
    },
  };
}

async function wantedSettings(
  context: CoolifyRuntimeOptions,
  spec: SandboxSpec,
  signal: AbortSignal,
): Promise<ApplicationPatch & { image: string }> {
  const settings = await ask("preparing the application", async () =>
    applicationSettings(spec, context.healthTimeoutMs),
  );
  return { ...settings, image: await pinned(context, spec.imageRef, signal) };
}

/** The image by what its tag means now, where the registry tells; a server of Coolify may reach it all the same. */
async function pinned(
  { digestOf, logger }: CoolifyRuntimeOptions,
  imageRef: string,
  signal: AbortSignal,
): Promise<string> {
  if (!digestOf || imageRef.includes("@")) return imageRef;
  try {
    const digest = await digestOf(imageRef, signal);
    return digest === null ? imageRef : `${imageRef}@${digest}`;
  } catch (error) {
    if (signal.aborted) throw new RuntimeError("timeout", "asking the registry: broken off");
    logger.debug({ err: error, imageRef }, "the registry does not tell the image's digest; it is deployed by its tag");
    return imageRef;
  }
}

/** Makes the application; when it is not certain whether that happened, the list of all tells. */
async function makeOrAdopt(
  context: CoolifyRuntimeOptions,
  spec: SandboxSpec,
  settings: ApplicationPatch & { image: string },
  signal: AbortSignal,
): Promise<Pick<Application, "uuid" | "description">> {
  const { client, projectUuid, serverUuid, destinationUuid, environmentName } = context;
  const description = describe(context, spec, null);
  try {
    // The domains come with the update: here they would clash with those of a double.
    const { uuid } = await client.createDockerImageApp(
      projectUuid,
      serverUuid,
      {
        environment_name: environmentName,
        ...(destinationUuid === undefined ? {} : { destination_uuid: destinationUuid }),
        name: spec.slug,
        description,
        image: settings.image,
        ports_exposes: settings.ports_exposes,
        instant_deploy: false,
        autogenerate_domain: false,
      },
      { signal },
    );
    return { uuid, description };
  } catch (error) {
    if (!(error instanceof CoolifyError) || !error.mayHaveHappened || signal.aborted) {
      throw toRuntimeError(error, "making the application");
    }
    const { kept } = sortOut(await listApplications(context, signal), context, spec.projectId);
    if (kept) return kept;
    throw toRuntimeError(error, "making the application");
  }
}

/** Keeps what an older description says of the last configuration: it still is what runs. */
function describe({ instanceId }: CoolifyRuntimeOptions, spec: SandboxSpec, old: string | null | undefined): string {
  const set = containerVariables(spec).map(({ key }) => key);
  return writeDescription({
    slug: spec.slug,
    instanceId,
    projectId: spec.projectId,
    configured: readMarker(old)?.configured ?? null,
    // Those of before as well, until they are taken back.
    variables: otherVariables([...readVariables(old), ...set]),
  });
}

/** Without a proxy Coolify takes new domains without a word and forgets them. */
async function assertDomains(
  { client }: CoolifyRuntimeOptions,
  { urls }: SandboxSpec,
  appUuid: string,
  signal: AbortSignal,
): Promise<void> {
  if (urls.domainsConfig === "") return;
  const app = await ask("checking the application", () => client.getApplication(appUuid, { signal }));
  if (app.fqdn === urls.domainsConfig) return;
  throw new RuntimeError(
    "unavailable",
    "Coolify did not take the sandbox's domains: its server has no proxy; choose one in Coolify, under the server's Proxy, or unset the wildcard domain",
  );
}

function warnOfCopies(
  { logger }: CoolifyRuntimeOptions,
  { projectId }: SandboxSpec,
  copies: readonly Application[],
): void {
  const appUuids = copies.map(({ uuid }) => uuid);
  logger.warn({ projectId, appUuids }, "other applications say they are this project's; they are left alone");
}
