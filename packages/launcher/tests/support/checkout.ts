import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bunPackages, thisMachine } from "../../src/platform.mjs";

export const version = "9.9.9";
/** The packages tried on this machine, in order. */
export const packages = bunPackages(thisMachine());

const launcher = join(import.meta.dir, "../..");

/** A stand-in for Bun: knows its version, notes its installs, and runs the "API" as told. */
export const workingBun = `#!/bin/sh
case "$1" in
--version) echo ${version} ;;
install) echo "$@" >> installs; mkdir -p node_modules ;;
*) echo "ran $*"; if [ "$2" = wait ]; then trap 'echo stopped; exit 7' TERM; while :; do sleep 0.05; done; fi; exit "\${2:-0}" ;;
esac
`;

/** A registry that serves Bun's packages for this machine with the given programs inside. */
export async function serveRegistry(programs: readonly string[]) {
  const work = await mkdtemp(join(tmpdir(), "agentpod-registry-"));
  const tarballs = new Map<string, { bytes: Uint8Array; integrity: string }>();
  for (const [index, name] of packages.entries()) {
    const program = programs[index] ?? programs[0] ?? "";
    const folder = join(work, String(index));
    await mkdir(join(folder, "package/bin"), { recursive: true });
    await writeFile(join(folder, "package/package.json"), JSON.stringify({ name, version }));
    await writeFile(join(folder, "package/bin/bun"), program, { mode: 0o755 });
    const tar = Bun.spawnSync(["tar", "-czf", "-", "package"], { cwd: folder });
    const integrity = `sha512-${new Bun.CryptoHasher("sha512").update(tar.stdout).digest("base64")}`;
    tarballs.set(name, { bytes: tar.stdout, integrity });
  }
  await rm(work, { recursive: true, force: true });

  const downloads: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
      const name = packages.find((candidate) => path === candidate || path.startsWith(`${candidate}/-/`));
      const tarball = name && tarballs.get(name);
      if (!name || !tarball) return new Response("{}", { status: 404 });
      if (path === name) {
        const dist = { tarball: new URL(`/${name}/-/bun.tgz`, request.url).href, integrity: tarball.integrity };
        return Response.json({
          name,
          "dist-tags": { latest: version },
          versions: { [version]: { name, version, dist } },
        });
      }
      downloads.push(name);
      await gate;
      return new Response(Buffer.from(tarball.bytes));
    },
  });
  return {
    url: server.url.href,
    integrity: Object.fromEntries([...tarballs].map(([name, { integrity }]) => [name, integrity])),
    downloads,
    /** Holds back tarballs until the promise is settled. */
    holdUntil(promise: Promise<void>) {
      gate = promise;
    },
    stop: () => server.stop(true),
  };
}

/** A checkout with this launcher, that pins the stand-in Bun, and a home of its own. */
export async function makeCheckout(integrity: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), "agentpod-checkout-"));
  const root = join(folder, "checkout");
  await cp(join(launcher, "src"), join(root, "packages/launcher/src"), { recursive: true });
  const files = {
    "package.json": JSON.stringify({ name: "agentpod", packageManager: `bun@${version}`, workspaces: ["packages/*"] }),
    "bun.lock": "first",
    "packages/launcher/src/bun-release.json": JSON.stringify({ version, integrity }),
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text);
  await mkdir(join(folder, "home"));

  const spawn = (args: readonly string[], env: Record<string, string> = {}) =>
    Bun.spawn([Bun.which("node") ?? process.execPath, join(root, "packages/launcher/src/main.mjs"), ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: join(folder, "home"), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  return {
    root,
    home: join(folder, "home"),
    spawn,
    async run(args: readonly string[], env: Record<string, string> = {}) {
      const child = spawn(args, env);
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      return { code: child.exitCode, stdout, stderr };
    },
    /** The arguments of every `bun install` so far. */
    installs: async () => (await readFile(join(root, "installs"), "utf8").catch(() => "")).split("\n").slice(0, -1),
    remove: async () => {
      await chmod(root, 0o755);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
