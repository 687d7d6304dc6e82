import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { networkLikeNpm } from "../src/network.mjs";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentpod-network-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const npmWith = (config: Record<string, unknown>) => ({
  run: async () => ({ code: 0, stdout: JSON.stringify(config), stderr: "" }),
});

test("a plain npm adds nothing but its registry", async () => {
  const config = {
    registry: "http://registry.test/",
    cafile: null,
    ca: null,
    proxy: null,
    noproxy: [""],
    "strict-ssl": true,
  };
  const network = await networkLikeNpm(npmWith(config), folder);
  expect(network).toMatchObject({ args: ["--registry", "http://registry.test/"], env: {} });
  await network.cleanUp();
});

test("proxies and lax TLS go into the environment", async () => {
  const config = {
    proxy: "http://proxy.test:1",
    "https-proxy": null,
    noproxy: ["a.test", "b.test"],
    "strict-ssl": false,
  };
  const { args, env, cleanUp } = await networkLikeNpm(npmWith(config), folder);
  expect(args).toEqual([]);
  expect(env).toMatchObject({
    HTTP_PROXY: "http://proxy.test:1",
    HTTPS_PROXY: "http://proxy.test:1",
    NO_PROXY: "a.test,b.test",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
  });
  await cleanUp();
});

test("a certificate authority comes as npm's file, or as a file made from npm's text", async () => {
  const cafile = join(folder, "ca.pem");
  await writeFile(cafile, "x");
  const fromFile = await networkLikeNpm(npmWith({ cafile, ca: ["ignored"] }), folder);
  expect(fromFile.args).toEqual(["--cafile", cafile]);
  await fromFile.cleanUp();

  const fromText = await networkLikeNpm(npmWith({ cafile: join(folder, "gone"), ca: ["one\\nline", "two"] }), folder);
  const [, written = ""] = fromText.args;
  expect(await readFile(written, "utf8")).toBe("one\nline\ntwo\n");
  await fromText.cleanUp();
  expect(await readdir(dirname(dirname(written)))).not.toContain(dirname(written));
});

test("credentials of npm's global file are joined with the user's, for the owner's eyes only", async () => {
  const globalconfig = join(folder, "global");
  const userconfig = join(folder, "user");
  await writeFile(globalconfig, "cafile=/x\n//one.test/:_authToken=${ONE}\n@team:registry=http://one.test/\n");
  await writeFile(userconfig, "color=false\n//two.test/:_authToken=2\n");
  const { env, cleanUp } = await networkLikeNpm(npmWith({ globalconfig, userconfig }), folder);
  const merged = env["NPM_CONFIG_USERCONFIG"] ?? "";
  expect(await readFile(merged, "utf8")).toBe(
    "//one.test/:_authToken=${ONE}\n@team:registry=http://one.test/\n//two.test/:_authToken=2\n",
  );
  expect((await stat(merged)).mode & 0o777).toBe(0o600);
  await cleanUp();
  await expect(stat(merged)).rejects.toThrow();
});

test("without global credentials Bun reads the user's own file", async () => {
  const { env, cleanUp } = await networkLikeNpm(
    npmWith({ globalconfig: join(folder, "none"), userconfig: "/home/me/.npmrc" }),
    folder,
  );
  expect(env).toEqual({ NPM_CONFIG_USERCONFIG: "/home/me/.npmrc" });
  await cleanUp();
});

test("Bun installs through them from a registry with its own certificate and a password", async () => {
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  const options = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  const made = Bun.spawnSync(["openssl", "req", ...options.split(" "), "-keyout", key, "-out", cert]);
  expect(made.exitCode).toBe(0);
  await Bun.write(join(folder, "package/package.json"), JSON.stringify({ name: "tiny", version: "1.0.0" }));
  const tarball = Bun.spawnSync(["tar", "-czf", "-", "package"], { cwd: folder }).stdout;
  using server = Bun.serve({
    port: 0,
    tls: { key: Bun.file(key), cert: Bun.file(cert) },
    fetch(request) {
      if (request.headers.get("authorization") !== "Bearer let-me-in") return new Response("{}", { status: 401 });
      const url = new URL(request.url);
      if (url.pathname.endsWith(".tgz")) return new Response(Buffer.from(tarball));
      const dist = { tarball: new URL("/tiny/-/tiny.tgz", url).href };
      return Response.json({
        name: "tiny",
        "dist-tags": { latest: "1.0.0" },
        versions: { "1.0.0": { name: "tiny", version: "1.0.0", dist } },
      });
    },
  });
  const registry = `https://localhost:${server.port}/`;
  const globalconfig = join(folder, "global");
  await writeFile(globalconfig, `//localhost:${server.port}/:_authToken=let-me-in\n`);
  const network = await networkLikeNpm(npmWith({ registry, cafile: cert, globalconfig }), folder);

  const project = join(folder, "project");
  await Bun.write(join(project, "package.json"), JSON.stringify({ dependencies: { tiny: "1.0.0" } }));
  const install = Bun.spawn([process.execPath, "install", ...network.args], {
    cwd: project,
    env: { PATH: process.env["PATH"], HOME: folder, ...network.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(await install.exited, await install.stderr.text()).toBe(0);
  await network.cleanUp();
  expect(await readdir(join(project, "node_modules"))).toContain("tiny");
});
