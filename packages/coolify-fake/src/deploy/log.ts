import type { Application, Container, Deployment } from "../state.ts";
import { deployedReference } from "../rules/image.ts";

interface Line {
  output: string;
  type?: "stdout" | "stderr";
  hidden?: boolean;
  command?: string;
}

/** A deployment's log is a text that holds a JSON array. */
export function successLog(application: Application, deployment: Deployment, container: Container): string {
  return written([
    ...opening(application, deployment),
    { output: `Container ${container.name} Started` },
    { output: "Removing old containers." },
    { output: "Rolling update completed." },
    { output: `Gracefully shutting down build container: ${deployment.uuid}` },
    { output: deployment.uuid, hidden: true, command: `docker stop --time=1 ${deployment.uuid}` },
  ]);
}

/** The line that counts is the one that begins with `Deployment failed: `. */
export function failureLog(application: Application, deployment: Deployment, reason: string): string {
  const rule = "========================================";
  return written([
    ...(reason === "Server is not functional." ? [{ output: reason }] : opening(application, deployment)),
    { output: rule, type: "stderr" },
    { output: `Deployment failed: ${reason}`, type: "stderr" },
    { output: "Error type: App\\Exceptions\\DeploymentException", type: "stderr", hidden: true },
    { output: "Error code: 0", type: "stderr", hidden: true },
    { output: rule, type: "stderr" },
    { output: "Deployment failed. Removing the new version of your application.", type: "stderr" },
  ]);
}

function opening({ columns, destination }: Application, { uuid }: Deployment): Line[] {
  const image = deployedReference(columns) ?? "";
  return [
    { output: `Starting deployment of ${image} to ${destination.server.name}.` },
    { output: "Preparing container with helper image: docker.io/coollabsio/coolify-helper:1.0.15" },
    {
      output: `Error response from daemon: No such container: ${uuid}`,
      type: "stderr",
      hidden: true,
      command: `docker stop --time=1 ${uuid}`,
    },
  ];
}

function written(lines: Line[]): string {
  const timestamp = new Date().toISOString().replace("Z", "000Z");
  return JSON.stringify(
    lines.map(({ output, type = "stdout", hidden = false, command }, index) => ({
      command: command ?? null,
      output,
      type,
      timestamp,
      hidden,
      batch: 1,
      ...(index === 0 ? {} : { order: index + 1 }),
    })),
  );
}
