import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "./gateway.ts";

type Package = {
  name: string;
  version: string;
  bin?: Record<string, string>;
  scripts?: Record<string, string>;
  files: Record<string, string>;
};

async function pack({ files, ...manifest }: Package): Promise<Uint8Array> {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "package"));
  await Bun.write(join(folder.path, "package/package.json"), JSON.stringify(manifest));
  for (const [path, text] of Object.entries(files)) await Bun.write(join(folder.path, "package", path), text);
  const tar = Bun.spawn(["tar", "-czf", "-", "package"], { cwd: folder.path, stdout: "pipe" });
  return await tar.stdout.bytes();
}

/** A registry for npm with these packages and no others. */
export async function startNpmRegistry(packages: Package[]) {
  const tarballs = await Promise.all(packages.map(async (entry) => ({ ...entry, bytes: await pack(entry) })));
  const downloads = new Map<string, number>();

  function describe(name: string, origin: string) {
    const releases = tarballs.filter((entry) => entry.name === name);
    const versions = releases.map(({ name, version, bin, scripts, bytes }) => {
      const manifest = { name, version, bin, scripts };
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      return {
        ...manifest,
        dist: { tarball: `${origin}/-/${encodeURIComponent(name)}/${version}.tgz`, integrity },
      };
    });
    return {
      name,
      "dist-tags": { latest: versions.at(-1)?.version },
      versions: Object.fromEntries(versions.map((entry) => [entry.version, entry])),
    };
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname, origin } = new URL(request.url);
      const [, dash, encoded = "", file = ""] = pathname.split("/");
      if (dash === "-") {
        const name = decodeURIComponent(encoded);
        downloads.set(name, (downloads.get(name) ?? 0) + 1);
        const found = tarballs.find((entry) => entry.name === name && `${entry.version}.tgz` === file);
        return new Response(found?.bytes ?? null, { status: found ? 200 : 404 });
      }
      const name = decodeURIComponent(pathname.slice(1));
      return packages.some((entry) => entry.name === name)
        ? Response.json(describe(name, origin))
        : Response.json({ error: "not found" }, { status: 404 });
    },
  });
  return {
    url: server.url.href,
    downloads: (name: string) => downloads.get(name) ?? 0,
    stop: () => server.stop(true),
  };
}
