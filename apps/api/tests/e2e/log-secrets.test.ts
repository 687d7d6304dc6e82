import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "bun:test";
import { openDatabaseReadonly } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { getProjectById } from "../../src/models/project.ts";
import { gatewayTokenContext } from "../../src/services/gateway-token.ts";
import { createSecretBox } from "../../src/services/secret-box.ts";
import { type ApiProcess, call, removeDataDir, startApi } from "../support/api-process.ts";

const marks: string[] = [];
/** A secret that is found wherever it turns up. */
function secret(where: string): string {
  const mark = `s3cr3t-${where}-${randomBytes(8).toString("hex")}`;
  marks.push(mark);
  return mark;
}

let dataDir: string | undefined;
afterAll(() => dataDir !== undefined && removeDataDir(dataDir));

describe("the log at its most talkative", () => {
  test("tells what was done, and nothing of any secret that was sent, configured or made", async () => {
    const token = secret("api-token");
    const encryptionKey = randomBytes(32);
    marks.push(encryptionKey.toString("hex"), encryptionKey.toString("base64"));
    const api = await startApi({
      entry: "apps/api/tests/support/light-api.ts",
      env: {
        LOG_LEVEL: "debug",
        RUNTIME: "process",
        API_TOKEN: token,
        ENCRYPTION_KEY: encryptionKey.toString("hex"),
        COOLIFY_URL: "https://coolify.example.com",
        COOLIFY_TOKEN: secret("coolify-token"),
      },
    });
    ({ dataDir } = api);
    try {
      const projectId = await drive(api, token);
      marks.push(gatewayTokenOf(api, projectId, encryptionKey));
    } finally {
      await api.end("SIGTERM");
    }

    const output = api.output();
    for (const mark of marks) expect(output).not.toContain(mark);
    const lines = output.split("\n").filter((line) => line.startsWith("{"));
    const requests = lines
      .map((line) => JSON.parse(line) as { msg: string; method: string; route: string; status: number })
      .filter(({ msg }) => msg === "request")
      .map(({ method, route, status }) => `${method} ${route} ${status}`);
    for (const told of [
      "GET /api/projects 200",
      "GET /api/projects 400",
      "GET /api/projects/{id} 404",
      "GET unmatched 404",
      "GET /api/flavors 401",
      "POST /api/projects 201",
      "POST /api/projects 422",
      "POST /api/projects 400",
      "PUT /api/providers/{id}/credentials 201",
      "DELETE /api/projects/{id} 204",
    ])
      expect(requests).toContain(told);
  }, 60_000);
});

/** Sends secrets in every place that a request has, and takes a project through its life. */
async function drive({ url }: ApiProcess, token: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${token}`,
    cookie: `session=${secret("cookie")}`,
    "x-api-key": secret("header"),
    "user-agent": `curl/8 (${secret("user-agent")})`,
    "if-none-match": `"${secret("etag")}"`,
    prefer: "wait=20",
  };
  const ask = (method: string, path: string, body?: unknown, more: Record<string, string> = {}) =>
    call(url, method, path, body, { ...headers, ...more });

  for (const scheme of ["Bearer", "Basic", "Token"]) {
    await ask("GET", "/api/flavors", undefined, { authorization: `${scheme} ${secret("wrong-token")}` });
  }
  for (const query of ["search", "status", "cursor", "nope"]) {
    await ask("GET", `/api/projects?${query}=${secret("query")}`);
  }
  await ask("GET", `/api/projects/${secret("path")}`);
  await ask("GET", `/${secret("path")}?token=${secret("query")}`);
  await ask("GET", `/api/events?after=${secret("query")}`);
  await ask("GET", "/api/flavors", undefined, { "x-request-id": `not harmless: ${secret("request-id")}` });

  for (const body of [
    { name: "A", sourceUrl: `https://user:${secret("source-password")}@forge.example.com/x.git` },
    { name: "A", containerTierId: secret("body") },
    { name: "A", flavorId: secret("body"), addonIds: [secret("body")] },
    { name: "A", [secret("field")]: secret("body") },
    { name: [secret("body")] },
  ]) {
    await ask("POST", "/api/projects", body);
  }
  const broken = await fetch(`${url}/api/projects`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: `{"name": "${secret("broken-body")}`,
  });
  expect(broken.status).toBe(400);
  const label = secret("label");
  expect(
    (await ask("PUT", "/api/providers/anthropic/credentials", { value: secret("credential"), label })).status,
  ).toBe(201);
  await ask("PUT", "/api/providers/anthropic/credentials", { value: [secret("credential")] });

  const made = await ask(
    "POST",
    "/api/projects",
    { name: secret("name"), description: secret("description"), flavorId: "js", addonIds: [] },
    { "idempotency-key": secret("idempotency-key") },
  );
  expect([made.status, made.body.project.status]).toEqual([201, "running"]);
  const { id } = made.body.project;
  const path = `/api/projects/${id}`;
  // A clone that fails: its host does not exist, and git is told the address.
  const sourceUrl = `https://forge.invalid/x.git?access_token=${secret("source-query")}`;
  const failed = await ask("POST", "/api/projects", { name: "Clone", sourceUrl, addonIds: [] });
  expect([failed.status, failed.body.project.status]).toEqual([201, "error"]);
  for (const verb of ["stop", "start", "restart"]) expect((await ask("POST", `${path}/${verb}`)).status).toBe(202);
  for (const below of ["", "/status", "/logs"]) expect((await ask("GET", `${path}${below}`)).status).toBe(200);
  const metrics = await fetch(`${url}/metrics`, { headers });
  const text = await metrics.text();
  for (const mark of marks) expect(text).not.toContain(mark);
  const usage = JSON.stringify((await ask("GET", "/api/container-tiers/usage")).body);
  expect(usage).toContain('"client":"curl"');
  for (const mark of marks) expect(usage).not.toContain(mark);
  expect((await ask("DELETE", `/api/projects/${failed.body.project.id}`)).status).toBe(204);
  return id;
}

/** The token that the API made for the project's gateway. */
function gatewayTokenOf({ dataDir: folder }: ApiProcess, projectId: string, key: Uint8Array): string {
  const db = openDatabaseReadonly(`${folder}/agentpod.db`);
  const sealed = getProjectById(db, projectId)?.gatewayToken ?? "";
  closeDatabase(db);
  return createSecretBox(key).open(sealed, gatewayTokenContext(projectId));
}
