import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { awaitGateway, type AwaitGatewayOptions } from "../../src/runtimes/await-gateway.ts";
import { RuntimeError } from "../../src/runtimes/runtime.ts";

const TOKEN = "gateway-token-of-sixteen-or-more";
const PROJECT = "prj_one";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function serve(fetch: (request: Request) => Response | Promise<Response>, port = 0): number {
  const server = Bun.serve({ port, hostname: "127.0.0.1", fetch });
  cleanups.push(() => server.stop(true));
  return server.port ?? 0;
}

function wait(port: number, options: Partial<AwaitGatewayOptions> = {}): Promise<void> {
  return awaitGateway({
    baseUrl: `http://127.0.0.1:${port}`,
    token: TOKEN,
    projectId: PROJECT,
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    ...options,
  });
}

async function failure(promise: Promise<unknown>): Promise<RuntimeError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RuntimeError)) throw new Error(`expected a RuntimeError, got ${String(error)}`);
  expect(error.message).not.toContain(TOKEN);
  return error;
}

const info = (projectId: string) => (request: Request) =>
  request.headers.get("authorization") === `Bearer ${TOKEN}` && new URL(request.url).pathname === "/info"
    ? Response.json({ projectId })
    : new Response(null, { status: 401 });

describe("awaitGateway", () => {
  test("returns once the project's gateway answers", async () => {
    await wait(serve(info(PROJECT)));
  });

  test("keeps asking until somebody listens", async () => {
    const port = serve(() => new Response());
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
    let asked = 0;
    const alive = async () => {
      asked += 1;
      if (asked === 1) serve(info(PROJECT), port);
      return null;
    };
    await wait(port, { alive });
    expect(asked).toBe(1);
  });

  test("keeps asking while the gateway answers that it is not ready", async () => {
    let calls = 0;
    await wait(serve((request) => (++calls < 3 ? new Response(null, { status: 503 }) : info(PROJECT)(request))));
    expect(calls).toBe(3);
  });

  test("goes on after a try that got no answer in time", async () => {
    let calls = 0;
    await wait(serve((request) => (++calls < 2 ? new Promise(() => undefined) : info(PROJECT)(request))));
    expect(calls).toBe(2);
  });

  test("says after the time limit what the last try saw", async () => {
    const error = await failure(
      wait(
        serve(() => new Response(null, { status: 500 })),
        { timeoutMs: 1_000 },
      ),
    );
    expect(error.failure).toBe("not_healthy");
    expect(error.message).toContain("1000 ms");
    expect(error.message).toContain("status 500");
  });

  test("says what a try saw that was not cut short by the time limit", async () => {
    let calls = 0;
    const port = serve(() => {
      calls += 1;
      return calls === 1 ? new Response(null, { status: 500 }) : new Promise<Response>(() => {});
    });
    const error = await failure(wait(port, { timeoutMs: 240 }));
    expect(calls).toBeGreaterThan(1);
    expect(error.message).toContain("status 500");
  });

  test("says that the connection was refused", async () => {
    const port = serve(() => new Response());
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
    const error = await failure(wait(port, { timeoutMs: 500 }));
    expect(error.failure).toBe("not_healthy");
    expect(error.message).toContain("connection refused");
  });

  test.each([
    ["HTML", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["JSON without a project", () => Response.json({ hello: 1 })],
    ["an endless body", () => new Response("x".repeat(1_000_000))],
    ["a redirect", () => Response.redirect("http://127.0.0.1:1/info")],
  ])("does not take %s for a gateway", async (_name, answer) => {
    expect((await failure(wait(serve(answer), { timeoutMs: 500 }))).failure).toBe("not_healthy");
  });

  test("gives up on a listener that accepts and stays silent", async () => {
    const server: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => server.close());
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const error = await failure(wait(address.port, { timeoutMs: 100 }));
    expect(error.failure).toBe("not_healthy");
    expect(error.message).toContain("no answer in time");
  });

  test("takes another project's gateway for a port conflict", async () => {
    expect((await failure(wait(serve(info("prj_other"))))).failure).toBe("port_conflict");
  });

  test("takes a gateway that refuses the token for a port conflict", async () => {
    expect((await failure(wait(serve(() => new Response(null, { status: 401 }))))).failure).toBe("port_conflict");
  });

  test("ends with the reason when the sandbox has died", async () => {
    const port = serve(() => new Response(null, { status: 404 }));
    const error = await failure(wait(port, { alive: async () => "exited with code 78" }));
    expect(error.failure).toBe("sandbox_exited");
    expect(error.message).toBe("exited with code 78");
  });

  test("passes on a failure that alive throws", async () => {
    const port = serve(() => new Response(null, { status: 404 }));
    const alive = () => Promise.reject(new RuntimeError("port_conflict", "taken"));
    expect((await failure(wait(port, { alive }))).failure).toBe("port_conflict");
  });

  test("ends at once on abort, also in the middle of a try", async () => {
    const controller = new AbortController();
    const port = serve(() => {
      controller.abort();
      return new Promise(() => undefined);
    });
    const error = await failure(wait(port, { signal: controller.signal, timeoutMs: 60_000 }));
    expect(error.failure).toBe("timeout");
  });

  test("asks directly although the environment names a proxy", async () => {
    let viaProxy = 0;
    const proxy = serve(() => {
      viaProxy += 1;
      return new Response(null, { status: 502 });
    });
    const port = serve(info(PROJECT));
    const script = `
      import { awaitGateway } from ${JSON.stringify(`${import.meta.dir}/../../src/runtimes/await-gateway.ts`)};
      await awaitGateway({ baseUrl: "http://127.0.0.1:${port}", token: "${TOKEN}", projectId: "${PROJECT}",
        timeoutMs: 2000, signal: new AbortController().signal });`;
    const child = Bun.spawn([process.execPath, "-e", script], {
      env: {
        PATH: process.env["PATH"] ?? "",
        HTTP_PROXY: `http://127.0.0.1:${proxy}`,
        http_proxy: `http://127.0.0.1:${proxy}`,
      },
    });
    expect(await child.exited).toBe(0);
    expect(viaProxy).toBe(0);
  });
});
