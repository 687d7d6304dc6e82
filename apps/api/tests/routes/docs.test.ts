import { ProblemCode } from "@agentpod/types";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";

let api: TestApp;
beforeAll(() => {
  api = createTestApp();
});
afterAll(async () => await api.close());

interface Operation {
  operationId?: string;
  security?: unknown;
  responses: Record<string, unknown>;
}

describe("/openapi.json", () => {
  test("is OpenAPI 3.1 with an operation id, security and shared answers for each route", async () => {
    const { status, headers, body } = await api.call("GET", "/openapi.json");
    expect(status).toBe(200);
    expect(headers.get("etag")).not.toBeNull();
    expect(body["openapi"]).toBe("3.1.0");
    const operations = Object.values(body["paths"] as object).flatMap(
      (path: object) => Object.values(path) as Operation[],
    );
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids).not.toContain(undefined);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { security, responses } of operations) {
      expect(security).toBeArray();
      expect(Object.keys(responses)).toContainValues(["403", "500"]);
    }
  });

  test("has every reference it uses", async () => {
    const { body } = await api.call("GET", "/openapi.json");
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, kind = "", name = ""] of references) expect(body["components"][kind]).toHaveProperty(name);
  });

  test("describes every path under /api that the router takes", async () => {
    const described = Object.keys(api.app.document.paths ?? {});
    for (const path of [
      "/api/resource-tiers",
      "/api/flavors/{id}",
      "/api/addons",
      "/api/projects/{id}/logs",
      "/api/events",
    ]) {
      expect(described).toContain(path);
    }
  });
});

describe("/docs", () => {
  test("shows every route without any script", async () => {
    const html = await (await api.app.request("/docs")).text();
    for (const [path, methods] of Object.entries(api.app.document.paths ?? {})) {
      for (const method of Object.keys(methods)) expect(html).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
    }
  });

  test("runs one pinned script and its own start, and nothing else", async () => {
    const response = await api.app.request("/docs");
    const html = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    const scripts = [...html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)];
    expect(scripts).toHaveLength(2);
    const [pinned, start] = scripts;
    const src = /src="([^"]+)"/.exec(pinned?.[1] ?? "")?.[1] ?? "";
    expect(src).toMatch(/^https:\/\/[^/]+\/npm\/@scalar\/api-reference@\d+\.\d+\.\d+\/.+\.js$/);
    expect(pinned?.[1]).toMatch(/integrity="sha384-[\w+/=]{64}" crossorigin="anonymous"/);
    const hash = new Bun.CryptoHasher("sha256").update(start?.[2] ?? "").digest("base64");
    expect(policy).toContain(`script-src ${src} 'sha256-${hash}'`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
  });
});

describe("/docs/errors", () => {
  test("has the anchor that each problem's type points at", async () => {
    const html = await (await api.app.request("/docs/errors")).text();
    for (const code of ProblemCode.options) expect(html).toContain(`<tr id="${code}">`);
    const { body } = await api.call("GET", "/api/flavors/nope");
    expect(body["type"]).toBe("/docs/errors#flavor_not_found");
  });
});
