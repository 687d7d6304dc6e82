import { join } from "node:path";

const docker = join(import.meta.dir, "../..");

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs one of docker/scripts. */
export function runScript(name: string, args: readonly string[], environment: Record<string, string> = {}) {
  return run([join(docker, "scripts", name), ...args], "", environment);
}

/** The reference the scripts give an image: "agentpod-base" -> "localhost/agentpod/agentpod-base:0.1.0". */
export async function imageReference(name: string): Promise<string> {
  const config = join(docker, "scripts/config.sh");
  const { exitCode, stdout, stderr } = await run(["bash", "-c", 'source "$1"; image_ref "$2"', "-", config, name]);
  if (exitCode !== 0) throw new Error(`no reference for ${name}: ${stderr}`);
  return stdout.trim();
}

export async function imageExists(reference: string): Promise<boolean> {
  return (await run(["docker", "image", "inspect", reference])).exitCode === 0;
}

/** An image made from another by further lines of a Dockerfile; `lines` need no files. */
export async function deriveImage(base: string, tag: string, lines: string): Promise<void> {
  const { exitCode, stderr } = await run(["docker", "build", "--quiet", "--tag", tag, "-"], `FROM ${base}\n${lines}\n`);
  if (exitCode !== 0) throw new Error(`${tag} was not built: ${stderr}`);
}

export async function removeImage(reference: string): Promise<void> {
  await run(["docker", "image", "rm", "--force", reference]);
}

/** Runs a command to its end. */
export async function run(
  command: readonly string[],
  input = "",
  environment: Record<string, string> = {},
): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...environment },
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}
