import { describe, expect, test } from "bun:test";
import { type CoolifyCall, createCoolifyClient } from "../src/index.ts";
import { failureFrom, serve, serveSockets } from "./support/serve.ts";

const TOKEN = "7|s3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t";
const version = () => new Response("4.3.10");
const client = (baseUrl: string, options = {}) => createCoolifyClient({ baseUrl, token: TOKEN, ...options });
const never = () => new Promise<Response>(() => {});

describe("the address", () => {
  for (const form of ["", "/", "/api", "/api/", "/api/v1", "/api/v1/", "//"]) {
    test(`may be pasted with "${form}" behind it`, async () => {
      await using place = serve(version);
      expect(await client(` ${place.url}${form} `).version()).toBe("4.3.10");
      expect(place.requests[0]?.path).toBe("/api/v1/version");
    });
  }

  test("may have a path of its own", async () => {
    await using place = serve(version);
    await client(`${place.url}/coolify/api/v1/`).version();
    expect(place.requests[0]?.path).toBe("/coolify/api/v1/version");
  });

  for (const wrong of ["", "coolify.example.com", "ftp://a", "https://u:p@a", "https://a/?x=1", "https://a/#x", "::"]) {
    test(`is refused as "${wrong}"`, () => {
      expect(() => client(wrong)).toThrow(expect.objectContaining({ failure: "unsafe_value" }));
    });
  }

  test("of something other than Coolify is said to be so", async () => {
    await using place = serve(() => new Response("<html>Welcome to nginx</html>"));
    const error = await failureFrom(client(place.url).version());
    expect(error).toMatchObject({ failure: "unexpected_response", status: 200 });
    expect(error.message).toContain("is this its address?");
  });
});

describe("an answer that does not come", () => {
  test("ends in a timeout, after which a write may have happened", async () => {
    await using place = serve(never);
    const coolify = client(place.url, { timeoutMs: 50 });
    const read = await failureFrom(coolify.listProjects());
    const write = await failureFrom(coolify.startApplication("a"));
    expect([read.failure, read.mayHaveHappened]).toEqual(["timeout", false]);
    expect([write.failure, write.mayHaveHappened]).toEqual(["timeout", true]);
    expect(place.requests).toHaveLength(2);
  });

  test("ends in a timeout when only the body stops coming", async () => {
    const stalls = () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array([91])) }));
    await using place = serve(stalls);
    const error = await failureFrom(client(place.url, { timeoutMs: 100 }).listProjects());
    expect(error.failure).toBe("timeout");
  });

  test("can be given up by a signal, before and while it runs", async () => {
    await using place = serve(never);
    const before = await failureFrom(client(place.url).stopApplication("a", { signal: AbortSignal.abort() }));
    expect([before.failure, before.mayHaveHappened, place.requests.length]).toEqual(["aborted", false, 0]);
    const controller = new AbortController();
    const call = failureFrom(client(place.url).stopApplication("a", { signal: controller.signal }));
    while (place.requests.length === 0) await Bun.sleep(1);
    controller.abort();
    const during = await call;
    expect([during.failure, during.mayHaveHappened]).toEqual(["aborted", true]);
  });

  test("was never asked for when nobody listens", async () => {
    const place = await serveSockets(() => {});
    place[Symbol.dispose]();
    const error = await failureFrom(client(place.url).startApplication("a"));
    expect([error.failure, error.mayHaveHappened, error.status]).toEqual(["unreachable", false, null]);
  });

  test("is asked for a second time by a read whose connection broke, but no third time", async () => {
    using once = await serveSockets((socket) => {
      if (once.heads.length === 1) socket.resetAndDestroy();
      else socket.end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n4.3.10");
    });
    expect(await client(once.url).version()).toBe("4.3.10");
    expect(once.heads).toHaveLength(2);
    using always = await serveSockets((socket) => socket.resetAndDestroy());
    const error = await failureFrom(client(always.url).version());
    expect([error.failure, error.mayHaveHappened, always.heads.length]).toEqual(["unreachable", false, 2]);
  });

  for (const [verb, call] of [
    ["POST", (url: string) => client(url).startApplication("a")],
    ["PATCH", (url: string) => client(url).updateApplication("a", { name: "b" })],
    ["DELETE", (url: string) => client(url).deleteEnv("a", "b")],
  ] as const) {
    test(`is not asked for again by a ${verb}, which may have happened`, async () => {
      using place = await serveSockets((socket) => socket.destroy());
      const error = await failureFrom(call(place.url));
      expect([error.failure, error.mayHaveHappened, place.heads.length]).toEqual(["unreachable", true, 1]);
    });

    test(`does not trouble a ${verb} when a kept connection was closed meanwhile`, async () => {
      // Each connection is dead after its first answer, as behind a proxy that restarts.
      const dead = new WeakSet<object>();
      using place = await serveSockets((socket, head) => {
        if (dead.has(socket)) {
          socket.resetAndDestroy();
          return;
        }
        dead.add(socket);
        const body = head.startsWith("GET") ? "4.3.10" : '{"uuid":"a","message":"x"}';
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      });
      await client(place.url).version();
      await call(place.url);
      expect(place.heads.map((head) => head.split(" ")[0])).toEqual(["GET", verb]);
    });
  }

  test("in full leaves open whether a write happened", async () => {
    using place = await serveSockets((socket) => {
      socket.write('HTTP/1.1 201 Created\r\nContent-Length: 99\r\nContent-Type: application/json\r\n\r\n{"uu', () =>
        socket.destroy(),
      );
    });
    const error = await failureFrom(client(place.url).createEnvironment("p", { name: "staging" }));
    expect([error.mayHaveHappened, place.heads.length]).toEqual([true, 1]);
    expect(["unreachable", "unexpected_response"]).toContain(error.failure);
  });
});

describe("an answer that cannot be right", () => {
  test("as a redirect is not followed, and the token stays here", async () => {
    await using other = serve(version);
    await using place = serve(() => Response.redirect(`${other.url}/api/v1/version`, 302));
    const error = await failureFrom(client(place.url).version());
    expect(error).toMatchObject({ failure: "unexpected_response", status: 302 });
    expect(error.message).toContain("redirected");
    expect([place.requests.length, other.requests.length]).toEqual([1, 0]);
  });

  test("as an endless body is cut off", async () => {
    let sent = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull(stream) {
            sent += 65_536;
            stream.enqueue(new Uint8Array(65_536).fill(32));
          },
        }),
      );
    await using place = serve(endless);
    const error = await failureFrom(client(place.url, { answerBytesMax: 1_000_000 }).listApplications());
    expect(error.failure).toBe("unexpected_response");
    expect(error.message).toContain("longer than 1000000 bytes");
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  test("by its shape is named by the place in it, not by its content", async () => {
    await using place = serve(() => Response.json([{ uuid: "u", name: "private", status: 7 }]));
    const error = await failureFrom(client(place.url).listApplications());
    expect(error.message).toContain("at 0.status");
    expect(error.message).not.toContain("private");
  });

  test("may hold fields and statuses of members that are not known yet", async () => {
    await using place = serve(() =>
      Response.json([{ uuid: "u", name: "n", status: "running:healthy", brand_new: [1] }]),
    );
    expect(await client(place.url).listApplications()).toMatchObject([{ uuid: "u", brand_new: [1] }]);
  });
});

describe("an observer", () => {
  test("hears of each exchange by its pattern, never of an identifier", async () => {
    const calls: CoolifyCall[] = [];
    let answers = 0;
    await using place = serve(() => {
      answers += 1;
      return answers === 1 ? Response.json({ message: "Application not found." }, { status: 404 }) : version();
    });
    const coolify = client(place.url, { onCall: (call: CoolifyCall) => calls.push(call) });
    await failureFrom(coolify.startApplication("abcdefghijklmnopqrstuvwx", { force: true }));
    await coolify.version();
    expect(calls).toMatchObject([
      { method: "POST", route: "/applications/{uuid}/start", status: 404, failure: "not_found" },
      { method: "GET", route: "/version", status: 200, failure: null },
    ]);
    expect(calls.every(({ ms }) => ms >= 0 && ms < 5000)).toBe(true);
    expect(JSON.stringify(calls)).not.toContain("abcdefgh");
  });
});

describe("an identifier", () => {
  for (const uuid of ["", ".", "..", "x".repeat(256)]) {
    test(`is refused in a path as "${uuid.slice(0, 5)}"`, async () => {
      await using place = serve(version);
      const error = await failureFrom(client(place.url).getApplication(uuid));
      expect([error.failure, place.requests.length]).toEqual(["unsafe_value", 0]);
    });
  }

  test("cannot lead to another endpoint", async () => {
    await using place = serve(() => Response.json({ message: "Application not found." }, { status: 404 }));
    await failureFrom(client(place.url).getApplication("a/../../servers?x=1#y"));
    expect(place.requests[0]?.path).toBe("/api/v1/applications/a%2F..%2F..%2Fservers%3Fx%3D1%23y");
  });
});
