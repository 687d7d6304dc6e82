import { readFileSync } from "node:fs";
import { join } from "node:path";
import type Dockerode from "dockerode";

const repoRoot = join(import.meta.dir, "../../../..");
const version = readFileSync(join(repoRoot, "docker/VERSION"), "utf8").trim();

/** The image sandboxes are tested with. */
export const sandboxImage = `localhost/agentpod/agentpod-js:${version}`;

/** @throws when the engine does not have it, as a test without it would fail in stranger ways */
export async function requireSandboxImage(docker: Dockerode): Promise<void> {
  try {
    await docker.getImage(sandboxImage).inspect();
  } catch (error) {
    throw new Error(`the engine has no ${sandboxImage}: run docker/scripts/build.sh --flavor js`, { cause: error });
  }
}

/**
 * An image like the sandbox's, in which `command` runs instead of its services.
 * @returns its reference; the caller removes it
 */
export async function imageRunning(docker: Dockerode, name: string, command: string[]): Promise<string> {
  const container = await docker.createContainer({ Image: sandboxImage, Entrypoint: command, Cmd: [] });
  try {
    await container.commit({ repo: `localhost/agentpod-test/${name}`, tag: "1" });
  } finally {
    await container.remove({ force: true });
  }
  return `localhost/agentpod-test/${name}:1`;
}
