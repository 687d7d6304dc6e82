import type { SandboxSpec } from "./runtime.ts";

/** How long a sandbox may take to fetch its source. */
export const SOURCE_TIMEOUT_SECONDS = 600;

/** By the name alone, as what a sandbox was made with may be configured no more. */
const SECRET = /TOKEN|SECRET|PASSW|CREDENTIAL|AUTH(?!OR)|_KEY$|_PROXY$/i;

/** The environment that a container's image goes by: the project's own, under ours. Names of ours are reserved. */
export function sandboxVariables(spec: SandboxSpec): Record<string, string> {
  return {
    ...spec.env,
    AGENTPOD_PROJECT_ID: spec.projectId,
    AGENTPOD_GATEWAY_TOKEN: spec.gatewayToken,
    AGENTPOD_FLAVOR: spec.flavorId,
    AGENTPOD_ADDONS: spec.addonIds.join(","),
    // The gateway answers to names it knows only, so that no page can point one of its own at it.
    ...(spec.urls.acpGateway === null ? {} : { AGENTPOD_GATEWAY_HOSTS: new URL(spec.urls.acpGateway).hostname }),
    ...(spec.sourceUrl === null
      ? {}
      : { AGENTPOD_SOURCE_URL: spec.sourceUrl, AGENTPOD_SOURCE_TIMEOUT: String(SOURCE_TIMEOUT_SECONDS) }),
  };
}

/** Whether the value of a variable of this name is to be blanked wherever it is shown. */
export const isSecretVariable = (name: string): boolean => SECRET.test(name);
