import { redact } from "../redact.ts";
import { RuntimeError, type RuntimeFailure, type SandboxSpec } from "../runtime.ts";

const MESSAGE_LENGTH_MAX = 600;

interface Kind {
  pattern: RegExp;
  failure: RuntimeFailure;
  explain: (reason: string, spec: SandboxSpec) => string;
}

/** The first that matches counts. */
const kinds: readonly Kind[] = [
  {
    pattern: /server is not functional|ssh connection|no route to host|network is unreachable/i,
    failure: "unavailable",
    explain: (reason) => `Coolify's server is out of reach or not usable: ${reason}`,
  },
  {
    pattern: /connection refused|i\/o timeout|TLS handshake|temporary failure|too ?many ?requests|50[0234] /i,
    failure: "unavailable",
    explain: (reason, { imageRef }) => `Coolify's server cannot reach the registry of ${imageRef} now: ${reason}`,
  },
  {
    pattern:
      /manifest (?:for|unknown)|access denied|is denied|(?<!permission )denied:|repository does not|unauthorized|no basic auth/i,
    failure: "image_unavailable",
    explain: (reason, { imageRef }) =>
      `Coolify's server cannot pull the image ${imageRef}: ${reason}; for a private registry run docker login on that server`,
  },
  {
    pattern: /could not select device driver|unknown runtime specified nvidia|nvidia-container/i,
    failure: "rejected",
    explain: (reason) =>
      `Coolify's server offers no GPU: install the NVIDIA container toolkit there, or leave the addon out (${reason})`,
  },
  {
    pattern: /unhealthy|health ?check/i,
    failure: "not_healthy",
    explain: (reason) => `the sandbox ended, or its gateway did not answer, after Coolify started it: ${reason}`,
  },
];

/**
 * What a failed deployment means. What is not known is taken for something about the project itself.
 * @param reason Coolify's own line; null where the token may not read it
 */
export function failedDeployment(
  reason: string | null,
  { spec, secrets }: { spec: SandboxSpec; secrets: readonly string[] },
): RuntimeError {
  if (reason === null) {
    const hint =
      "the deployment's log in Coolify has the reason; give the token the ability read:sensitive to see it here";
    return new RuntimeError("rejected", `Coolify could not deploy the sandbox; ${hint}`);
  }
  const kind = kinds.find(({ pattern }) => pattern.test(reason));
  const message = kind ? kind.explain(reason, spec) : `Coolify could not deploy the sandbox: ${reason}`;
  return new RuntimeError(kind?.failure ?? "rejected", redact(message, secrets).slice(0, MESSAGE_LENGTH_MAX));
}
