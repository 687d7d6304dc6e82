import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import { createProxied, serveGateway } from "../support/proxied-gateway.ts";
import { until } from "../support/wait.ts";

const megabytes = (bytes: number) => bytes / 1024 / 1024;

describe("what flows to and from a project's agents", () => {
  test("is read no faster than the client takes it, and ends with the client", async () => {
    let pulled = 0;
    let cancelled = false;
    await using gateway = serveGateway(() => {
      const chunk = new Uint8Array(1024 * 1024);
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        pulled += 1;
        if (pulled > 400) controller.close();
        else controller.enqueue(chunk);
      };
      return new Response(new ReadableStream({ pull, cancel: () => void (cancelled = true) }, { highWaterMark: 0 }));
    });
    await using api = await createProxied(gateway.port);
    const client = connect(api.port, "127.0.0.1", () => {
      client.write(`GET ${api.place}/v1/fs/big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      client.pause();
    });
    let before = -1;
    await until("the gateway is held back", async () => {
      const isStill = pulled > 0 && pulled === before;
      before = pulled;
      await Bun.sleep(300);
      return isStill ? true : undefined;
    });
    expect(pulled).toBeLessThan(64);
    client.destroy();
    await until("the gateway's side ends", () => cancelled || undefined);
  });

  test("goes up no faster than the gateway takes it", async () => {
    let taken = 0;
    const gateway = createServer((socket) => {
      socket.on("data", (bytes) => {
        taken += bytes.length;
        if (taken > 1024 * 1024) socket.pause();
      });
      socket.on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await once(gateway, "listening");
    const address = gateway.address();
    await using api = await createProxied(typeof address === "object" ? (address?.port ?? 0) : 0);
    const size = 300 * 1024 * 1024;
    const client = connect(api.port, "127.0.0.1");
    client.on("error", () => undefined);
    client.write(`PUT ${api.place}/v1/fs/big HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${size}\r\n\r\n`);
    let written = 0;
    const block = Buffer.alloc(1024 * 1024);
    const fill = () => {
      while (written < size) {
        written += block.length;
        if (!client.write(block)) return void client.once("drain", fill);
      }
    };
    fill();
    let before = -1;
    await until("the client is held back", async () => {
      const isStill = written === before;
      before = written;
      await Bun.sleep(300);
      return isStill ? true : undefined;
    });
    expect(megabytes(written)).toBeLessThan(64);
    client.destroy();
    gateway.close();
  });

  test("is told as too long where the gateway stops at a body's length", async () => {
    const gateway = Bun.serve({ port: 0, maxRequestBodySize: 1024 * 1024, fetch: () => new Response("took it") });
    await using api = await createProxied(gateway.port ?? 0);
    const answer = await fetch(`${api.url}/v1/fs/big`, { method: "PUT", body: Buffer.alloc(100 * 1024 * 1024) });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([413, "body_too_large"]);
    expect((await fetch(`${api.url}/v1/fs/small`, { method: "PUT", body: "x" })).status).toBe(200);
    await gateway.stop();
  });

  test("is answered before it was sent to its end, and the answer goes on", async () => {
    const gateway = createHttpServer((request, response) => {
      request.on("error", () => undefined);
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("early ");
      request.once("end", () => response.end("late")).resume();
    }).listen(0, "127.0.0.1");
    await once(gateway, "listening");
    const address = gateway.address();
    await using api = await createProxied(typeof address === "object" ? (address?.port ?? 0) : 0);
    const client = connect(api.port, "127.0.0.1");
    client.setEncoding("latin1");
    let text = "";
    client.on("data", (part: string) => void (text += part));
    client.write(`PUT ${api.place}/v1/fs/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nab`);
    await until("the answer has begun", () => (text.includes("early ") ? true : undefined));
    client.write("cd");
    await until("the answer ends", () => (text.includes("late") ? true : undefined));
    client.destroy();
    gateway.close();
  });

  test("arrives event by event, is counted, and breaks off as the gateway does", async () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const gateway = serveGateway(
      () =>
        new Response(new ReadableStream({ start: (given) => void (controller = given) }), {
          headers: { "content-type": "text/event-stream" },
        }),
    );
    await using api = await createProxied(gateway.port);
    const asked = fetch(`${api.url}/v1/events`);
    await until("the stream is asked for", () => controller);
    const send = (text: string) => controller?.enqueue(new TextEncoder().encode(text));
    send("id: 1\ndata: {}\n\n");
    const reader = (await asked).body?.getReader();
    const next = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await next()).toBe("id: 1\ndata: {}\n\n");
    send("id: 2\ndata: {}\n\n");
    expect(await next()).toBe("id: 2\ndata: {}\n\n");
    const readers = () => /agentpod_sse_clients\{stream="agent"\} (\d+)/.exec(api.metrics.render(null).text)?.[1];
    expect(readers()).toBe("1");
    await gateway.stop();
    expect(reader?.read()).rejects.toThrow();
    await until("nobody reads", () => (readers() === "0" ? true : undefined));
  });
});
