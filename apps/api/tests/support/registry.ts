import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Dockerode from "dockerode";
import { freePort } from "./docker-sandboxes.ts";
import { until } from "./wait.ts";

/** Why no registry can be started here; undefined when one can. */
export const registryMissing = Bun.which("docker-registry")
  ? undefined
  : "docker-registry is not installed: apt-get install docker-registry";

export interface TestRegistry {
  /** `127.0.0.1:port` */
  host: string;
  close: () => Promise<void>;
}

export interface Login {
  username: string;
  password: string;
}

/**
 * A real registry of this test's own, empty; with a login it answers nobody else.
 * @param diskBytes gives it a disk of that size, which only root can
 */
export async function startRegistry(login?: Login, diskBytes?: number): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-registry-"));
  const host = `127.0.0.1:${freePort()}`;
  const config = join(folder, "config.yml");
  const data = join(folder, "data");
  mkdirSync(data);
  writeFileSync(
    config,
    JSON.stringify({
      version: "0.1",
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: data } },
      http: { addr: host },
      ...(login && { auth: { htpasswd: { realm: "test", path: join(folder, "htpasswd") } } }),
    }),
  );
  if (login) {
    const hash = await Bun.password.hash(login.password, { algorithm: "bcrypt", cost: 4 });
    writeFileSync(join(folder, "htpasswd"), `${login.username}:${hash}\n`);
  }
  // The disk is mounted for it alone, and gone with it.
  const mount = `mount -t tmpfs -o size=${diskBytes} tmpfs ${data} && exec "$@"`;
  const onDisk = diskBytes === undefined ? [] : ["unshare", "--mount", "sh", "-c", mount, "-"];
  const child = Bun.spawn([...onDisk, "docker-registry", "serve", config], { stdout: "ignore", stderr: "ignore" });
  await until("the registry answers", async () => {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    return answer?.ok || answer?.status === 401 || undefined;
  });
  return {
    host,
    async close() {
      child.kill();
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface SlowRegistry extends TestRegistry {
  /** What it answers instead of the registry behind it; null for nothing. */
  answerWith: (status: number | null) => void;
  /** Layers being sent right now. */
  sending: () => number;
}

/** Stands before a registry and hands its layers out a piece at a time. */
export function slowDown(registry: TestRegistry, pieceBytes: number, pauseMs: number): SlowRegistry {
  let instead: number | null = null;
  let sending = 0;

  async function* slowly(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    sending += 1;
    try {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        yield bytes.subarray(at, at + pieceBytes);
        await Bun.sleep(pauseMs);
      }
    } finally {
      sending -= 1;
    }
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      if (instead !== null) return new Response("busy", { status: instead });
      const { pathname } = new URL(request.url);
      const { status, headers, body } = await fetch(`http://${registry.host}${pathname}`, {
        method: request.method,
        headers: { accept: request.headers.get("accept") ?? "*/*" },
      });
      const isLayer = request.method === "GET" && pathname.includes("/blobs/");
      if (!isLayer) return new Response(body, { status, headers });
      return new Response(slowly(new Uint8Array(await new Response(body).arrayBuffer())), { status, headers });
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    answerWith: (status) => {
      instead = status;
    },
    sending: () => sending,
    close: () => server.stop(true),
  };
}

/** Builds an image of `layers` layers of random bytes and pushes it; the engine itself keeps nothing of it. */
export async function publishImage(
  docker: Dockerode,
  imageRef: string,
  { layers, layerBytes, login }: { layers: number; layerBytes: number; login?: Login },
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-context-"));
  const names = Array.from({ length: layers }, (_, index) => `layer-${index}`);
  try {
    for (const name of names) {
      const bytes = new Uint8Array(layerBytes);
      for (let at = 0; at < layerBytes; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
      writeFileSync(join(folder, name), bytes);
    }
    const copies = names.map((name) => `COPY ${name} /${name}`);
    writeFileSync(join(folder, "Dockerfile"), ["FROM scratch", ...copies, 'CMD ["/none"]'].join("\n"));
    await finish(await docker.buildImage({ context: folder, src: ["Dockerfile", ...names] }, { t: imageRef }));
    const image = docker.getImage(imageRef);
    // Without any credentials the engine refuses to push at all.
    await finish(await image.push({}, undefined, { username: "", password: "", serveraddress: "", ...login }));
    await image.remove({ force: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads a stream of the engine's messages to its end. */
async function finish(stream: NodeJS.ReadableStream): Promise<void> {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  if (text.includes('"errorDetail"')) throw new Error(text.slice(-1_000));
}
