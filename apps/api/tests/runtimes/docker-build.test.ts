import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "bun:test";
import { createScriptBuilder, missingBuildFile } from "../../src/runtimes/docker/index.ts";
import { sandboxSpec, type SeenEvent } from "../support/docker-sandboxes.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { until } from "../support/wait.ts";

const tempFolder = tempFolders();
const spec = sandboxSpec({ imageRef: "localhost/agentpod/agentpod-js-gui:1.0.0", addonIds: ["gui"] });

function repository(script: string): string {
  const root = tempFolder();
  const files = ["docker/base/Dockerfile", "docker/flavors/js/Dockerfile", "docker/addons/gui/Dockerfile"];
  for (const file of [...files, "docker/scripts/build.sh"]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), file.endsWith(".sh") ? `#!/bin/bash\n${script}\n` : "");
  }
  chmodSync(join(root, "docker/scripts/build.sh"), 0o755);
  return root;
}

async function build(repoRoot: string, signal = new AbortController().signal, env = {}): Promise<SeenEvent[]> {
  const events: SeenEvent[] = [];
  const make = createScriptBuilder({ repoRoot, env: { PATH: process.env["PATH"], ...env } });
  await make(spec, (type, data = {}) => void events.push({ type, data }), signal);
  return events;
}

describe("building an image with the repository's script", () => {
  test("hands the configuration over and tells where it is, without a terminal's colours", async () => {
    const root = repository(
      `printf '%s ' "$@" "$IMAGE_VERSION" "\${SECRET-none}" > $PWD/args; printf '\\e[31mstep 1\\e[0m from http://me:pw@mirror/\\n' >&2; echo; echo ${spec.imageRef}`,
    );
    const events = await build(root, undefined, { IMAGE_VERSION: "1.0.0" });
    expect(readFileSync(join(root, "args"), "utf8")).toBe("--flavor js --addon gui 1.0.0 none ");
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["building"]));
    const lines = events.flatMap(({ data }) => (typeof data["line"] === "string" ? [data["line"]] : []));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines[0]).toMatch(new RegExp(`^(step 1 from http://\\[redacted\\]@mirror/|${spec.imageRef})$`));
  });

  test("does not flood the event log", async () => {
    const root = repository(`seq 10000; echo ${spec.imageRef}`);
    expect((await build(root)).length).toBeLessThan(10);
  });

  test("tells the end of what a failed build said", async () => {
    const root = repository("seq 100; echo 'E: no such package' >&2; exit 5");
    const failing = build(root);
    await expect(failing).rejects.toMatchObject({ failure: "image_unavailable" });
    await expect(failing).rejects.toThrow(/exit code 5[^]*no such package/);
  });

  test("notices that another image was made", async () => {
    const root = repository("echo other/image:2");
    await expect(build(root)).rejects.toThrow(/the build made other\/image:2: check REGISTRY_URL/);
  });

  test("names the file without which there is nothing to build", async () => {
    const root = repository("");
    const withoutAddon = { flavorId: "js", addonIds: ["nope"] };
    expect(missingBuildFile(root, spec)).toBeNull();
    expect(missingBuildFile(root, withoutAddon)).toBe("docker/addons/nope/Dockerfile");
    expect(missingBuildFile(root, { flavorId: "zig", addonIds: [] })).toBe("docker/flavors/zig/Dockerfile");
    const building = build(tempFolder());
    await expect(building).rejects.toMatchObject({ failure: "image_unavailable" });
    await expect(building).rejects.toThrow(/no docker\/scripts\/build.sh/);
  });

  test("ends everything the script started when it is told to stop", async () => {
    const root = repository("sleep 300 & echo $! > child; wait");
    const stop = new AbortController();
    const building = build(root, stop.signal);
    const pid = await until("the script runs", () => {
      const text = existsSync(join(root, "child")) ? readFileSync(join(root, "child"), "utf8").trim() : "";
      return text === "" ? undefined : Number(text);
    });
    stop.abort();
    await expect(building).rejects.toMatchObject({ failure: "timeout" });
    await until("its child has ended", () => !isAlive(pid) || undefined, 5_000);
    await expect(build(root, stop.signal)).rejects.toMatchObject({ failure: "timeout" });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
