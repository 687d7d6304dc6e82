import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Outcome, run } from "./scripts.ts";

const repo = resolve(import.meta.dir, "../../..");

/** A tree of small images with the real scripts, under names of its own. */
export interface SmallTree {
  /** Its folder docker/. */
  root: string;
  /** What its scripts are told: names under `localhost` that nobody else has. */
  environment: Record<string, string>;
  write: (path: string, content: string) => void;
  run: (script: string, args: readonly string[], environment?: Record<string, string>) => Promise<Outcome>;
  /** `agentpod-js` -> its reference. */
  ref: (name: string) => string;
  /** Every reference of this tree that the engine has, in alphabetical order. */
  images: () => Promise<string[]>;
  remove: () => Promise<void>;
}

const IMAGE = (lines: string, flavor: string) => `
ARG BASE_IMAGE=debian:trixie-slim
FROM \${BASE_IMAGE}
${lines}
ARG ADDONS
LABEL dev.agentpod.addons="\${ADDONS}"
${flavor === "" ? "" : `LABEL dev.agentpod.flavor="${flavor}"`}
`;

/** With the flavors `one` and `two` and the addons `extra` and `more`. */
export function makeSmallTree(): SmallTree {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-tree-"));
  const root = join(folder, "docker");
  const owner = `small-${crypto.randomUUID().slice(0, 8)}`;
  const environment = { REGISTRY_URL: "localhost", REGISTRY_OWNER: owner, IMAGE_VERSION: "7", BUILD_PROGRESS: "plain" };
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  mkdirSync(root);
  cpSync(join(repo, "docker/scripts"), join(root, "scripts"), {
    recursive: true,
    filter: (source) => !source.includes("node_modules"),
  });
  for (const file of ["docker-bake.hcl", "budgets.txt"]) cpSync(join(repo, "docker", file), join(root, file));
  symlinkSync(join(repo, "packages"), join(folder, "packages"));
  write("VERSION", "7\n");
  write("versions.env", 'DEBIAN_IMAGE="${DEBIAN_IMAGE:-debian:trixie-slim}"\nGREETING="hello there"\n');
  write("tools.txt", "base bash bash --version\naddons/extra extra extra --version\naddons/more none none --version\n");
  write("base/Dockerfile", IMAGE(`ARG GREETING\nRUN echo "$GREETING" > /greeting # ${owner}`, ""));
  for (const flavor of ["one", "two"])
    write(`flavors/${flavor}/Dockerfile`, IMAGE(`RUN echo ${flavor} > /flavor`, flavor));
  const extra = "RUN printf '#!/bin/sh\\necho extra 4.5.6\\n' > /usr/bin/extra && chmod +x /usr/bin/extra";
  write("addons/extra/Dockerfile", IMAGE(extra, ""));
  write("addons/more/Dockerfile", IMAGE("RUN head -c 3000000 /dev/urandom > /more", ""));

  const images = async () => {
    const { stdout } = await run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]);
    return stdout
      .split("\n")
      .filter((ref) => ref.includes(`/${owner}/`))
      .toSorted();
  };
  return {
    root,
    environment,
    write,
    images,
    run: (script, args, more = {}) => run([join(root, "scripts", script), ...args], "", { ...environment, ...more }),
    ref: (name) => `localhost/${owner}/${name}:7`,
    async remove() {
      const left = await images();
      if (left.length > 0) await run(["docker", "image", "rm", "--force", ...left]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
