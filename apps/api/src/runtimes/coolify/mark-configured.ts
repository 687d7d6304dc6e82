import { createHmac } from "node:crypto";
import type { Application } from "@agentpod/coolify";
import { secretsOf } from "../redact.ts";
import type { SandboxSpec, Step } from "../runtime.ts";
import { applicationSettings } from "./application-settings.ts";
import { latestDeployments } from "./cancel-deployments.ts";
import { containerVariables, otherVariables } from "./container-variables.ts";
import { ask } from "./coolify-error.ts";
import { requireApplication } from "./find-application.ts";
import { readMarker, writeDescription } from "./marker.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";

const DIGEST_LENGTH = 16;

/**
 * Writes down that the application is configured, for which generation, and which deployments came
 * before that. The last step of the configuration, so that what it says is true.
 */
export function createMarkStep(context: CoolifyRuntimeOptions): Step {
  return {
    name: "mark",
    run: async (spec, { signal }) => {
      const { client, instanceId } = context;
      const app = await requireApplication(context, spec.projectId, signal);
      const digest = digestOf(spec, app, context.healthTimeoutMs);
      const before = readMarker(app.description)?.configured;
      const isSame = before?.generation === spec.generation && before.digest === digest;
      const [newest] = isSame ? [] : await latestDeployments(context, app.uuid, signal);
      const description = writeDescription({
        slug: spec.slug,
        instanceId,
        projectId: spec.projectId,
        configured: {
          generation: spec.generation,
          digest,
          // An earlier run may have started a deployment of this very configuration: that one counts.
          after: isSame ? before.after : (newest?.deployment_uuid ?? null),
        },
        variables: otherVariables(containerVariables(spec).map(({ key }) => key)),
      });
      const update = () => client.updateApplication(app.uuid, { description }, { signal });
      await ask("marking the application", update, secretsOf(spec));
    },
  };
}

/** Keyed with the sandbox's own token: the description can be read by more people than its variables. */
function digestOf(spec: SandboxSpec, app: Application, healthTimeoutMs: number): string {
  const image = [app.docker_registry_image_name, app.docker_registry_image_tag];
  const all = [spec.slug, image, applicationSettings(spec, healthTimeoutMs), containerVariables(spec)];
  return createHmac("sha256", spec.gatewayToken).update(JSON.stringify(all)).digest("hex").slice(0, DIGEST_LENGTH);
}
