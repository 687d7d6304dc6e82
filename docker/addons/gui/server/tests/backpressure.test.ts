import { expect, test } from "bun:test";
import { createConnection, type Socket } from "node:net";
import { startWorld, until } from "./support/world.ts";

const MEGABYTE = 1024 * 1024;
const PICTURE = 64 * MEGABYTE;

test("a browser that does not read makes the screen wait, and misses nothing", async () => {
  let screen: Socket | undefined;
  await using world = await startWorld({
    talk(socket) {
      screen = socket;
      socket.write(new Uint8Array(PICTURE));
    },
  });
  const { port, host } = new URL(world.origin);
  const client = createConnection({ host: "127.0.0.1", port: Number(port) });
  client.write(
    [
      "GET /websockify HTTP/1.1",
      `Host: ${host}`,
      `Origin: ${world.origin}`,
      `Cookie: ${await world.cookie()}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "",
      "",
    ].join("\r\n"),
  );
  client.pause();

  // It stands still with most of the picture not yet taken from the screen.
  const left = () => screen?.writableLength ?? 0;
  await until(() => left() > 0);
  let before = -1;
  for (; before !== left(); await Bun.sleep(200)) before = left();
  expect(left()).toBeGreaterThan(PICTURE / 2);

  let received = 0;
  client.on("data", (chunk) => (received += chunk.length));
  client.resume();
  await until(() => received > PICTURE);
  expect(left()).toBe(0);
  client.destroy();
});
