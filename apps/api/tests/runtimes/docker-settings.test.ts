import { describe, expect, test } from "bun:test";
import { connectDocker } from "../../src/runtimes/docker/connect.ts";
import { containerSettings, type SettingsContext } from "../../src/runtimes/docker/container-settings.ts";
import { LABELS } from "../../src/runtimes/docker/names.ts";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";
import { sandboxSpec } from "../support/docker-sandboxes.ts";
import { thrown } from "../support/thrown.ts";

const context: SettingsContext = {
  facts: { version: "26", cpus: 4, memoryBytes: 8 * 1024 ** 3, limits: true, gpuRequest: null },
  instanceId: "here",
  wildcardDomain: null,
  stopTimeoutSeconds: 10,
  imageId: "sha256:1",
};
const spec = sandboxSpec({ env: { A: "1", B: "2" } });
const digest = (of: SandboxSpec, within: Partial<SettingsContext> = {}) =>
  containerSettings(of, { ...context, ...within }).Labels?.[LABELS.spec];

describe("the settings of a sandbox's container", () => {
  test("have the same digest for the same sandbox, however its environment is ordered", () => {
    expect(digest({ ...spec, env: { B: "2", A: "1" } })).toBe(digest(spec) ?? "");
    expect(digest(spec)).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each<[string, Partial<SandboxSpec>, Partial<SettingsContext>]>([
    ["generation", { generation: 2 }, {}],
    ["tier", { limits: { ...spec.limits, cpus: 2 } }, {}],
    ["gateway token", { gatewayToken: "another-token-of-the-gateway" }, {}],
    ["environment", { env: { A: "1", B: "3" } }, {}],
    ["port", { ports: spec.ports.map((port) => ({ ...port, hostPort: (port.hostPort ?? 0) + 1 })) }, {}],
    ["addon", { addonIds: ["gui"] }, {}],
    ["source", { sourceUrl: "https://example.org/a.git" }, {}],
    ["image behind the same name", {}, { imageId: "sha256:2" }],
  ])("have another digest for another %s", (_what, change, within) => {
    expect(digest({ ...spec, ...change }, within)).not.toBe(digest(spec) ?? "");
  });

  test("tell the gateway the public name that it answers to", () => {
    const named = { ...spec.urls, acpGateway: "https://acp-demo.pods.example.com" };
    const hosts = (of: SandboxSpec) =>
      containerSettings(of, context).Env?.filter((entry) => entry.startsWith("AGENTPOD_GATEWAY_HOSTS="));
    expect(hosts({ ...spec, urls: named })).toEqual(["AGENTPOD_GATEWAY_HOSTS=acp-demo.pods.example.com"]);
    expect(hosts({ ...spec, urls: { ...spec.urls, acpGateway: null } })).toEqual([]);
  });

  test("share more memory with a desktop only", () => {
    expect(containerSettings(spec, context).HostConfig?.ShmSize).toBeUndefined();
    const withGui = containerSettings({ ...spec, addonIds: ["gui"] }, context);
    expect(withGui.HostConfig?.ShmSize).toBe(256 * 1024 ** 2);
  });

  test("ask for a GPU the way the engine offers it", () => {
    const gpuRequest = { Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=all"] };
    const facts = { ...context.facts, gpuRequest };
    const settings = containerSettings({ ...spec, requiresGpu: true }, { ...context, facts });
    expect(settings.HostConfig?.DeviceRequests).toEqual([gpuRequest]);
    expect(containerSettings(spec, { ...context, facts }).HostConfig?.DeviceRequests).toBeUndefined();
  });

  test("let Traefik route the public names where there is a wildcard domain", () => {
    const domainsConfig = "https://opencode-a.pods.example.org:4096,https://acp-a.pods.example.org:4097";
    const routed = { ...spec, urls: { ...spec.urls, domainsConfig } };
    const labels = containerSettings(routed, { ...context, wildcardDomain: "pods.example.org" }).Labels ?? {};
    const name = `agentpod-${spec.projectId}-4097`;
    expect(labels).toMatchObject({
      "traefik.enable": "true",
      "traefik.docker.network": "agentpod",
      [`traefik.http.routers.${name}.rule`]: "Host(`acp-a.pods.example.org`)",
      [`traefik.http.routers.${name}.entrypoints`]: "websecure",
      [`traefik.http.routers.${name}.tls`]: "true",
      [`traefik.http.routers.${name}.service`]: name,
      [`traefik.http.services.${name}.loadbalancer.server.port`]: "4097",
    });
    const without = containerSettings(routed, context).Labels ?? {};
    expect(Object.keys(without).filter((label) => label.startsWith("traefik"))).toEqual([]);
    const { PortBindings } = containerSettings(routed, context).HostConfig ?? {};
    expect(JSON.stringify(PortBindings)).not.toContain("0.0.0.0");
  });

  test("let no environment of the project replace its own identity", () => {
    const hostile = { ...spec, env: { AGENTPOD_PROJECT_ID: "other", AGENTPOD_GATEWAY_TOKEN: "known" } };
    const { Env } = containerSettings(hostile, context);
    expect(Env).toContain(`AGENTPOD_PROJECT_ID=${spec.projectId}`);
    expect(Env).not.toContain("AGENTPOD_GATEWAY_TOKEN=known");
  });
});

describe("connecting to an engine", () => {
  test.each([
    "unix:///run/some.sock",
    "tcp://127.0.0.1:2375",
    "tcp://localhost",
    "https://[::1]:2376",
    "127.0.0.1:2375",
    "",
  ])("understands %p", (host) => {
    expect(connectDocker(host)).toBeDefined();
  });

  test.each([
    ["ssh://me@host", /ssh:\/\/ cannot be used/],
    ["npipe:////./pipe/docker_engine", /unknown form npipe/],
    ["unix://relative.sock", /not an absolute path/],
    ["tcp://10.0.0.9:2375", /not on this machine/],
    ["tcp://", /not an address/],
    ["tcp://host:notaport", /not an address/],
  ])("refuses %p and says what would work", (host, message) => {
    const error = thrown(() => connectDocker(host));
    expect(error).toMatchObject({ failure: "unavailable" });
    expect(error.message).toMatch(message);
    expect(error.message).toContain("set DOCKER_HOST to unix:///path/of/docker.sock");
  });

  test("dials what it is given, whatever DOCKER_HOST says", async () => {
    const engine = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("OK") });
    const script = `
      import { connectDocker } from ${JSON.stringify(`${import.meta.dir}/../../src/runtimes/docker/connect.ts`)};
      console.log(String(await connectDocker("tcp://127.0.0.1:${engine.port}").ping()));
      await connectDocker("unix:///nowhere.sock").ping().catch((error) => console.log(error.code));`;
    for (const DOCKER_HOST of ["tcp://127.0.0.1:1", "unix:///other.sock", "ssh://me@host"]) {
      const child = Bun.spawn([process.execPath, "-e", script], { env: { PATH: process.env["PATH"], DOCKER_HOST } });
      expect(await new Response(child.stdout).text()).toBe("OK\nENOENT\n");
    }
    await engine.stop(true);
  });
});
