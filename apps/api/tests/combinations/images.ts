import { resolve } from "node:path";
import type { Combination } from "./valid-combinations.ts";

const buildScript = resolve(import.meta.dir, "../../../../docker/scripts/build.sh");
const built = new Set<string>();

/**
 * Builds its image as a person would.
 * @param ending ends the build as Ctrl-C does
 * @throws when that fails, or the image has another name than the API's
 */
export async function buildImage({ flavorId, addonIds, imageRef }: Combination, ending: AbortSignal): Promise<void> {
  const options = addonIds.flatMap((addonId) => ["--addon", addonId]);
  const { stdout, stderr, exitCode } = await run([buildScript, "--flavor", flavorId, ...options], ending);
  // What the image stands on was named on the way.
  for (const [, refs = ""] of stderr.matchAll(/^built in \d+ s: (.+)$/gm))
    for (const ref of refs.split(" ")) built.add(ref);
  if (exitCode !== 0) throw new Error(`the build failed: ${stderr.slice(-2_000)}`);
  const ref = stdout.trim().split("\n").at(-1);
  if (ref !== imageRef) throw new Error(`the scripts built ${ref}, the API starts ${imageRef}`);
}

/** References of all images of the engine. */
export async function imagesHere(): Promise<Set<string>> {
  const { stdout, stderr, exitCode } = await run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]);
  // An image that others remove at this moment makes the engine fail.
  if (exitCode !== 0) throw new Error(`the images cannot be listed: ${stderr}`);
  return new Set(stdout.trim().split("\n"));
}

/** Removes the names that were built and are not in `keep`. */
export async function removeImages(keep: ReadonlySet<string>): Promise<void> {
  for (const ref of [...built].toReversed())
    if (!keep.has(ref)) {
      await run(["docker", "image", "rm", ref]);
      built.delete(ref);
    }
}

/** @param ending ends the command and all that it started */
async function run(command: string[], ending?: AbortSignal) {
  ending?.throwIfAborted();
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true });
  const end = () => process.kill(-child.pid, "SIGTERM");
  ending?.addEventListener("abort", end);
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  ending?.removeEventListener("abort", end);
  return { stdout, stderr, exitCode };
}
