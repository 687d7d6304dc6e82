import { describe, setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import { browserMissing } from "./browser.ts";

const versionFile = Bun.file(join(import.meta.dir, "../../VERSION"));
const engine = Bun.spawnSync(["docker", "version"], { stdio: ["ignore", "ignore", "ignore"] });
const engineMissing = engine.exitCode === 0 ? undefined : "no Docker engine answers";

/** A `describe` whose tests look at a running image: skipped, with the reason, where that cannot be. */
export function describeInBrowser(name: string, tests: () => void): void {
  const missing = engineMissing ?? browserMissing;
  if (missing) {
    describe.skip(`${name} [skipped: ${missing}]`, tests);
    return;
  }
  setDefaultTimeout(300_000);
  describe(name, tests);
}

export interface Sandbox extends AsyncDisposable {
  /** Where a container port is reached, such as `http://127.0.0.1:32768`. */
  origin: string;
  /** What a shell script in the container prints. @throws when it fails */
  run: (script: string) => Promise<string>;
}

/**
 * Runs an image of ours as the API does, with one port published on loopback.
 * @throws when the image is not there, with what builds it
 */
export async function startSandbox(options: {
  flavor: string;
  addon: string;
  port: number;
  environment: Readonly<Record<string, string>>;
}): Promise<Sandbox> {
  const image = await imageOf(options);
  const id = await docker([
    "run",
    "--detach",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=2g",
    "--label=dev.agentpod.test=browser",
    `--publish=127.0.0.1::${options.port}`,
    ...Object.entries(options.environment).map(([name, value]) => `--env=${name}=${value}`),
    image,
  ]);
  const remove = () => docker(["rm", "--force", "--volumes", id]);
  try {
    const [address] = (await docker(["port", id, String(options.port)])).split("\n");
    return {
      origin: `http://${address}`,
      run: (script) => docker(["exec", id, "bash", "-c", script]),
      async [Symbol.asyncDispose]() {
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function imageOf({ flavor, addon }: { flavor: string; addon: string }): Promise<string> {
  const registry = process.env["REGISTRY_URL"] || "localhost";
  const owner = process.env["REGISTRY_OWNER"] || "agentpod";
  const version = process.env["IMAGE_VERSION"] || (await versionFile.text()).trim();
  const image = `${registry}/${owner}/agentpod-${flavor}-${addon}:${version}`;
  await docker(["image", "inspect", image]).catch(() => {
    throw new Error(`the engine has no ${image}: run docker/scripts/build.sh --flavor ${flavor} --addon ${addon}`);
  });
  return image;
}

async function docker(args: readonly string[]): Promise<string> {
  const child = Bun.spawn(["docker", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`docker ${args[0]} failed: ${stderr.trim() || stdout.trim()}`);
  return stdout.trim();
}
