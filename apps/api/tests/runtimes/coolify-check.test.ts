import { describe, expect, test } from "bun:test";
import { createCoolifyClient } from "@agentpod/coolify";
import { createCoolifyRuntime } from "../../src/runtimes/coolify/index.ts";
import { coolifyWorld, failureOf } from "../support/coolify-sandboxes.ts";

describe("a Coolify at the start of the control plane", () => {
  test("that can be used answers with its version, and nothing was changed there", async () => {
    const { fake, runtime } = await coolifyWorld();
    expect(runtime.name).toBe("coolify");
    expect(await runtime.probe()).toEqual({ ok: true, version: "4.3.10" });
    expect(fake.applications()).toEqual([]);
  });

  test("whose token lacks abilities is refused, and they are named", async () => {
    for (const [token, missing] of [
      ["read", "write, deploy"],
      ["readWrite", "deploy"],
      ["writeDeploy", "read"],
      ["deploy", "read, write"],
    ] as const) {
      const error = await failureOf(coolifyWorld({ token }));
      expect(error).toMatchObject({ failure: "rejected", message: expect.stringContaining(`lacks ${missing};`) });
    }
  });

  test("that does not know the token is refused without telling it", async () => {
    const { fake, options } = await coolifyWorld();
    for (const token of [fake.tokens.expired, "1|nobodyknowsthistoken"]) {
      const client = createCoolifyClient({ baseUrl: fake.url, token });
      const error = await failureOf(createCoolifyRuntime({ ...options, client }));
      expect([error.failure, error.message.includes("create a new one")]).toEqual(["rejected", true]);
      expect(error.message).not.toContain(token);
    }
  });

  test("is refused with what there is when the options name something else", async () => {
    const { fake, options } = await coolifyWorld();
    const wrong = [
      [{ projectUuid: "nosuchproject" }, /project nosuchproject.*not found/i],
      [{ environmentName: "staging" }, /no environment staging; it has production/],
      [{ serverUuid: "nosuchserver" }, /server nosuchserver.*not found/i],
      [{ destinationUuid: "nosuchone" }, new RegExp(`no destination nosuchone; it has ${fake.destinationUuid}`)],
    ] as const;
    for (const [change, message] of wrong) {
      const error = await failureOf(createCoolifyRuntime({ ...options, ...change }));
      expect([error.failure, error.message]).toEqual(["rejected", expect.stringMatching(message)]);
    }
    await createCoolifyRuntime({ ...options, destinationUuid: fake.destinationUuid });
  });

  test("that is out of reach, or whose server is, is told of and waited for", async () => {
    const { fake, options, told } = await coolifyWorld();
    fake.faults.add({ kind: "proxy_none" });
    await createCoolifyRuntime(options);
    expect(told()).toContain("has no proxy");
    fake.faults.add({ kind: "server_unreachable" });
    await createCoolifyRuntime(options);
    expect(told()).toContain("out of reach");
    const client = createCoolifyClient({ baseUrl: "http://127.0.0.1:9", token: "1|x" });
    const runtime = await createCoolifyRuntime({ ...options, client });
    expect(await runtime.probe()).toMatchObject({ ok: false });
    expect(await failureOf(runtime.list())).toMatchObject({ failure: "unavailable" });
  });

  test("whose API is disabled is refused with what to do", async () => {
    const { fake, options } = await coolifyWorld();
    fake.faults.add({ kind: "api_disabled" });
    expect(await failureOf(createCoolifyRuntime(options))).toMatchObject({
      failure: "rejected",
      message: expect.stringContaining("Enable the API"),
    });
  });

  test("that goes away is told by the probe", async () => {
    const { fake, runtime } = await coolifyWorld();
    await fake.close();
    expect(await runtime.probe()).toMatchObject({ ok: false, message: expect.stringContaining("Coolify") });
  });
});
