import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RuntimeError, type SandboxSpec } from "../runtime.ts";
import type { BuildImage } from "./options.ts";
import { redact } from "../redact.ts";
import { throttle } from "./throttle.ts";

const SCRIPT = "docker/scripts/build.sh";
const REPORT_EVERY_MS = 500;
const LINE_LENGTH_MAX = 300;
const TAIL_LINES = 15;
/** How long a build may tidy up after it was told to end. */
const KILL_AFTER_MS = 5_000;

export interface ScriptBuilderOptions {
  /** Absolute path of this repository. */
  repoRoot: string;
  /** The whole environment of the script. */
  env: Readonly<Record<string, string | undefined>>;
}

/** The first file a build would need that is not in the repository; null when it can be tried. */
export function missingBuildFile(
  repoRoot: string,
  { flavorId, addonIds }: Pick<SandboxSpec, "flavorId" | "addonIds">,
): string | null {
  const needed = [
    SCRIPT,
    "docker/base/Dockerfile",
    `docker/flavors/${flavorId}/Dockerfile`,
    ...addonIds.map((id) => `docker/addons/${id}/Dockerfile`),
  ];
  return needed.find((path) => !existsSync(join(repoRoot, path))) ?? null;
}

/** Builds with the repository's own script, with `building` events that hold the line it is at. */
export function createScriptBuilder({ repoRoot, env }: ScriptBuilderOptions): BuildImage {
  return async (spec, report, signal) => {
    const missing = missingBuildFile(repoRoot, spec);
    if (missing !== null) {
      const ways = "use another flavor or addons (GET /api/images/matrix), or set REGISTRY_URL to where the image is";
      throw unavailable(spec, `it cannot be built, because there is no ${missing}; ${ways}`);
    }
    if (signal.aborted) throw new RuntimeError("timeout", `building ${spec.imageRef}: broken off`);
    const reportLine = throttle(REPORT_EVERY_MS, (line: string) =>
      report("building", { imageRef: spec.imageRef, line }),
    );
    report("building", { imageRef: spec.imageRef });
    const { code, lastLine, tail } = await runScript(spec, { repoRoot, env, signal, onLine: reportLine });
    if (signal.aborted) throw new RuntimeError("timeout", `building ${spec.imageRef}: broken off`);
    if (code !== 0) throw unavailable(spec, `its build failed with exit code ${code}; the last lines:\n${tail}`);
    if (lastLine !== spec.imageRef) {
      throw unavailable(spec, `the build made ${lastLine}: check REGISTRY_URL, REGISTRY_OWNER and IMAGE_VERSION`);
    }
  };
}

interface ScriptRun extends ScriptBuilderOptions {
  signal: AbortSignal;
  onLine: (line: string) => void;
}

interface ScriptEnd {
  code: number;
  /** The last line on stdout. */
  lastLine: string;
  /** The end of stderr, where builds talk; of stdout when that is empty. */
  tail: string;
}

async function runScript({ flavorId, addonIds }: SandboxSpec, run: ScriptRun): Promise<ScriptEnd> {
  const { repoRoot, env, signal, onLine } = run;
  const args = ["--flavor", flavorId, ...addonIds.flatMap((id) => ["--addon", id])];
  // A process group of its own, so that what the script started can be ended with it.
  const child = spawn(join(repoRoot, SCRIPT), args, {
    cwd: repoRoot,
    env: { ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? -1));
  });
  const signalGroup = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has ended already.
    }
  };
  let killTimer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    signalGroup("SIGTERM");
    killTimer = setTimeout(() => signalGroup("SIGKILL"), KILL_AFTER_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });

  const read = async (stream: NodeJS.ReadableStream): Promise<string[]> => {
    const tail: string[] = [];
    for await (const raw of createInterface({ input: stream })) {
      const line = readable(raw);
      if (line === "") continue;
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onLine(line);
    }
    return tail;
  };
  try {
    const [code, stdout, stderr] = await Promise.all([ended, read(child.stdout), read(child.stderr)]);
    return { code, lastLine: stdout.at(-1) ?? "nothing", tail: (stderr.length > 0 ? stderr : stdout).join("\n") };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RuntimeError("image_unavailable", `${SCRIPT} cannot be run: ${reason}`);
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Without the colours and cursor moves of a terminal, and fit to be stored. */
function readable(line: string): string {
  return redact(Bun.stripANSI(line), [])
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .slice(0, LINE_LENGTH_MAX);
}

function unavailable({ imageRef }: SandboxSpec, reason: string): RuntimeError {
  return new RuntimeError("image_unavailable", `the image ${imageRef} is not on this host, and ${reason}`);
}
