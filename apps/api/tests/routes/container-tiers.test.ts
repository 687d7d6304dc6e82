import { ContainerTier } from "@agentpod/types";
import { afterEach, describe, expect, test } from "bun:test";
import { z } from "zod";
import { createTestApp, type TestApp } from "../support/app.ts";

const sunsetAt = new Date("2027-01-31T00:00:00Z");
const before = () => new Date("2027-01-30T23:59:59Z");
let api: TestApp;
afterEach(async () => await api.close());

describe("the deprecated container tiers", () => {
  test("are listed with what replaces them until the sunset", async () => {
    api = createTestApp({ sunsetAt, now: before });
    const { status, body } = await api.call("GET", "/api/container-tiers");
    expect(status).toBe(200);
    const tiers = z.array(z.strictObject(ContainerTier.shape)).parse(body["tiers"]);
    expect(tiers.map(({ id, replacement }) => [id, replacement.resourceTierId, replacement.addonIds.join()])).toEqual([
      ["lite", "starter", "code-server"],
      ["standard", "builder", "code-server"],
      ["pro", "creator", "code-server"],
      ["desktop", "creator", "gui,code-server"],
    ]);
    const one = await api.call("GET", "/api/container-tiers/pro");
    expect(one.body["tier"]).toEqual(tiers[2]);
  });

  test("say in each answer's headers that they go away, and when", async () => {
    api = createTestApp({ sunsetAt, now: before });
    for (const path of ["/api/container-tiers", "/api/container-tiers/lite"]) {
      const { headers } = await api.call("GET", path);
      expect(headers.get("deprecation")).toBe(`@${Date.parse("2027-01-01T00:00:00Z") / 1000}`);
      expect(headers.get("sunset")).toBe("Sun, 31 Jan 2027 00:00:00 GMT");
      expect(headers.get("link")).toContain('</api/resource-tiers>; rel="successor-version"');
    }
  });

  test("are 404 when unknown", async () => {
    api = createTestApp({ sunsetAt, now: before });
    const { status, body } = await api.call("GET", "/api/container-tiers/light");
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: "container_tier_not_found", error: "Container tier not found" });
  });

  test("are gone from the sunset on, whatever the id", async () => {
    api = createTestApp({ sunsetAt, now: () => sunsetAt });
    for (const path of ["/api/container-tiers", "/api/container-tiers/lite", "/api/container-tiers/light"]) {
      const { status, body } = await api.call("GET", path);
      expect(status).toBe(410);
      expect(body).toMatchObject({ code: "container_tiers_sunset", detail: expect.stringContaining("2027-01-31") });
    }
  });
});
