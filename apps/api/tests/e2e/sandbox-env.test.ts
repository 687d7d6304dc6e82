import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "bun:test";
import { type ApiProcess, call, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { until } from "../support/wait.ts";

const secret = "hunter2-of-the-proxy";
const proxy = `http://me:${secret}@proxy.example:3128`;
const dataDir = newDataDir();
const file = join(dataDir, "sandboxes.env");
const apis: ApiProcess[] = [];

afterAll(async () => {
  for (const api of apis) await api.end("SIGTERM");
  removeDataDir(dataDir);
});

async function start(lines: string): Promise<ApiProcess> {
  writeFileSync(file, lines);
  const env = { RUNTIME: "process", LOG_LEVEL: "debug", SANDBOX_ENV_FILE: file };
  const api = await startApi({ dataDir, env });
  apis.push(api);
  return api;
}

/** What the gateway of a project answers who wants an agent installed that does not come from npm. */
const install = async ({ url }: ApiProcess, id: string) =>
  (await call(url, "POST", `/api/projects/${id}/agent/v1/agents/goose/install`)).body.code;

describe("SANDBOX_ENV_FILE", () => {
  test("reaches the sandboxes of an API, changes with its next start, and its secrets are nowhere else", async () => {
    const said: string[] = [];
    let api = await start(`AGENTPOD_AGENT_INSTALL=1\nHTTPS_PROXY='${proxy}'\n`);
    expect(api.output()).toContain("sandboxes get other variables than before");
    const wait = { prefer: "wait=60" };
    const made = await call(api.url, "POST", "/api/projects", { name: "Told", flavorId: "js", addonIds: [] }, wait);
    const { id, status } = made.body.project;
    expect(status).toBe("running");
    expect(await install(api, id)).toBe("not_supported");
    if (process.platform === "linux") {
      const record = JSON.parse(readFileSync(join(dataDir, "projects", id, "process.json"), "utf8")) as {
        child: { pid: number };
      };
      const environ = readFileSync(`/proc/${record.child.pid}/environ`, "utf8").split("\0");
      expect(environ).toContain(`HTTPS_PROXY=${proxy}`);
    }
    // What is written into the log is written by an agent, or the like.
    const log = join(dataDir, "projects", id, "gateway.log");
    writeFileSync(log, `connecting to ${proxy}\npassword ${secret}\n`, { flag: "a" });
    const place = `/api/projects/${id}`;
    for (const path of [place, `${place}/status`, `${place}/logs?tail=100`, "/api/runtime/drift", "/metrics"])
      said.push(await (await fetch(api.url + path)).text());
    expect(said.join("")).toContain("connecting to [redacted]");

    // The same again: nothing is made anew because of it.
    await api.end("SIGTERM");
    api = await start(`HTTPS_PROXY='${proxy}'\n# the other way round\nAGENTPOD_AGENT_INSTALL=1\n`);
    expect(api.output()).not.toContain("other variables");

    await api.end("SIGTERM");
    api = await start("\n");
    expect(api.output()).toContain("sandboxes get other variables than before");
    // The start itself may still be at work on it.
    await until("the project can be restarted", async () => {
      const { status } = await call(api.url, "POST", `/api/projects/${id}/restart`, undefined, wait);
      return status === 409 ? undefined : status;
    });
    expect(await install(api, id)).toBe("install_not_allowed");
    for (const text of [...said, ...apis.map((each) => each.output())]) expect(text).not.toContain(secret);
    for await (const path of new Bun.Glob("**/*").scan({ cwd: dataDir, dot: true, onlyFiles: true })) {
      if (path.endsWith("gateway.log")) continue;
      expect([path, readFileSync(join(dataDir, path)).includes(secret)]).toEqual([path, false]);
    }
  }, 90_000);

  test("stops the start when something is wrong with it, and says where", async () => {
    const failed = await start(`PATH=/${secret}\n${secret}\n`).catch(String);
    expect(failed).toContain("The configuration has 2 problems:\n  SANDBOX_ENV_FILE: line 1: PATH is ");
    expect(failed).toContain("\n  SANDBOX_ENV_FILE: line 2: must be NAME=value");
    expect(failed).not.toContain(secret);
    rmSync(file);
  }, 30_000);
});
