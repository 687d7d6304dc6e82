import { describe, expect, test } from "bun:test";
import { createKasmDesktop } from "../src/kasm-desktop.ts";
import { openSocket, startWorld, until } from "./support/world.ts";

const ACCESS = { user: "developer", password: "between-the-two" };
const AUTHORIZATION = `Basic ${btoa(`${ACCESS.user}:${ACCESS.password}`)}`;

/** A web server with KasmVNC's manners: everything needs its own password, the screen is at /websockify. */
function startKasm() {
  const asked: { path: string; cookie: string | null }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, server) {
      if (request.headers.get("authorization") !== AUTHORIZATION) return new Response("denied", { status: 401 });
      const { pathname, search } = new URL(request.url);
      asked.push({ path: pathname + search, cookie: request.headers.get("cookie") });
      if (pathname === "/websockify") {
        const upgraded = server.upgrade(request, { headers: { "sec-websocket-protocol": "binary" } });
        return upgraded ? undefined : new Response("no WebSocket", { status: 400 });
      }
      if (pathname !== "/") return new Response("not here", { status: 404 });
      const page = Bun.gzipSync("<title>KasmVNC</title>");
      return new Response(page, { headers: { "content-encoding": "gzip", "x-kasm": "yes" } });
    },
    websocket: {
      open: (ws) => void ws.sendBinary(Buffer.from("RFB 003.008\n")),
      message: (ws, message) => void ws.sendBinary(Buffer.from(message)),
    },
  });
  return { origin: `http://127.0.0.1:${server.port}`, asked, stop: () => server.stop(true) };
}

async function startKasmWorld() {
  const kasm = startKasm();
  const world = await startWorld({ desktop: createKasmDesktop({ origin: kasm.origin, ...ACCESS }) });
  return {
    kasm,
    world,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await kasm.stop();
    },
  };
}

describe("KasmVNC behind the login", () => {
  test("its pages come with the login's cookie and without the browser knowing its password", async () => {
    await using both = await startKasmWorld();
    expect((await both.world.get("/")).status).toBe(303);
    expect((await both.world.get("/dist/main.js")).status).toBe(401);
    const headers = { cookie: await both.world.cookie() };
    const page = await both.world.get("/?quality=9", { headers });
    expect([page.status, page.headers.get("x-kasm"), await page.text()]).toEqual([
      200,
      "yes",
      "<title>KasmVNC</title>",
    ]);
    expect((await both.world.get("/dist/main.js", { headers })).status).toBe(404);
    expect(both.kasm.asked).toEqual([
      { path: "/?quality=9", cookie: null },
      { path: "/dist/main.js", cookie: null },
    ]);
  });

  test("its screen is carried both ways, also what was sent before it answered", async () => {
    await using both = await startKasmWorld();
    const { world } = both;
    using viewer = await openSocket(world.origin, { cookie: await world.cookie(), origin: world.origin }, ["binary"]);
    expect(viewer.socket.protocol).toBe("binary");
    viewer.socket.send(new Uint8Array([1, 2, 3]));
    await until(() => viewer.received().length === 15);
    expect(viewer.received().toString("latin1")).toBe("RFB 003.008\n\x01\x02\x03");
  });

  test("a KasmVNC that is not there is said, and the server lives on", async () => {
    await using both = await startKasmWorld();
    const { world } = both;
    const headers = { cookie: await world.cookie(), origin: world.origin };
    await both.kasm.stop();
    expect((await world.get("/", { headers })).status).toBe(503);
    expect((await world.get("/health")).status).toBe(503);
    using viewer = await openSocket(world.origin, headers);
    expect(await viewer.closed).toBe(1001);
  });
});
