import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { GREETING, openSocket, startWorld, until } from "./support/world.ts";

const MEGABYTE = 1024 * 1024;

describe("the bridge to the screen", () => {
  test("bytes go both ways unchanged, however they are cut", async () => {
    await using world = await startWorld();
    using viewer = await openSocket(world.origin, { cookie: await world.cookie(), origin: world.origin });
    await until(() => viewer.received().length === GREETING.length);
    expect(viewer.received().toString()).toBe(GREETING);
    const sent = randomBytes(3 * MEGABYTE);
    for (let start = 0; start < sent.length; start += 70_001) viewer.socket.send(sent.subarray(start, start + 70_001));
    await until(() => viewer.received().length === GREETING.length + sent.length);
    expect(viewer.received().subarray(GREETING.length).equals(sent)).toBe(true);
  });

  test("without a session, or from another site, there is no connection", async () => {
    await using world = await startWorld();
    const cookie = await world.cookie();
    const refused: Record<string, string>[] = [
      { origin: world.origin },
      { origin: world.origin, cookie: `${cookie}x` },
      { origin: "http://example.invalid", cookie },
      { origin: "null", cookie },
      { origin: world.origin.replace("127.0.0.1", "127.0.0.2"), cookie },
      { cookie },
    ];
    for (const headers of refused) {
      using viewer = await openSocket(world.origin, headers);
      expect(viewer.opened).toBe(false);
    }
    expect(world.screen.open()).toBe(0);
  });

  test("a viewer that leaves is taken off the screen", async () => {
    await using world = await startWorld();
    const viewer = await openSocket(world.origin, { cookie: await world.cookie(), origin: world.origin });
    await until(() => world.screen.open() === 1);
    viewer.socket.close();
    await until(() => world.screen.open() === 0);
  });

  test("logging out ends the viewers of that session and no others", async () => {
    await using world = await startWorld();
    const [one, other] = [await world.cookie(), await world.cookie()];
    using first = await openSocket(world.origin, { cookie: one, origin: world.origin });
    using second = await openSocket(world.origin, { cookie: other, origin: world.origin });
    await until(() => world.screen.open() === 2);
    await world.get("/logout", { method: "POST", headers: { cookie: one, origin: world.origin } });
    expect(await first.closed).toBe(1001);
    await until(() => world.screen.open() === 1);
    expect(second.socket.readyState).toBe(WebSocket.OPEN);
  });

  test("a screen that is not there closes the connection, and the server lives on", async () => {
    await using world = await startWorld();
    const headers = { cookie: await world.cookie(), origin: world.origin };
    world.screen.close();
    using viewer = await openSocket(world.origin, headers);
    expect(await viewer.closed).toBe(1001);
    expect((await world.get("/", { headers })).status).toBe(200);
  });

  test("text is refused, for the screen speaks bytes", async () => {
    await using world = await startWorld();
    using viewer = await openSocket(world.origin, { cookie: await world.cookie(), origin: world.origin });
    viewer.socket.send("text");
    expect(await viewer.closed).toBe(1003);
  });

  test("a screen that does not read is not sent more than fits", async () => {
    await using world = await startWorld({ talk: (socket) => void socket.pause() });
    using viewer = await openSocket(world.origin, { cookie: await world.cookie(), origin: world.origin });
    const chunk = new Uint8Array(MEGABYTE);
    for (let sent = 0; sent < 16; sent++) viewer.socket.send(chunk);
    expect(await viewer.closed).toBe(1009);
  });

  test("the protocol that some viewers ask for is agreed to", async () => {
    await using world = await startWorld();
    using viewer = await openSocket(world.origin, { cookie: await world.cookie(), origin: world.origin }, ["binary"]);
    expect([viewer.opened, viewer.socket.protocol]).toEqual([true, "binary"]);
  });
});
