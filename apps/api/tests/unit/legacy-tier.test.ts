import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import { getAllContainerTiers } from "../../src/models/container-tier.ts";
import { mapLegacyTier } from "../../src/services/image-resolver.ts";

const sunsetAt = new Date("2027-01-31T00:00:00Z");
const before = { now: new Date("2027-01-30T23:59:59Z"), sunsetAt };
const after = { now: sunsetAt, sunsetAt };

describe("a deprecated container tier", () => {
  test.each([
    ["lite", "starter", ["code-server"]],
    ["standard", "builder", ["code-server"]],
    ["pro", "creator", ["code-server"]],
    ["desktop", "creator", ["gui", "code-server"]],
  ])("%s stands for tier %s with %j", (id, resourceTierId, addonIds) => {
    expect(mapLegacyTier(id, before)).toEqual({ mapping: { resourceTierId, flavorId: "fullstack", addonIds } });
  });

  test.each(["light", "", "__proto__", "Lite"])("%j is not known", (id) => {
    expect(mapLegacyTier(id, before)).toMatchObject({
      violation: {
        path: "containerTierId",
        code: "container_tier_not_found",
        message: `Container tier '${id}' not found`,
      },
    });
  });

  test("is refused from the sunset on, with what to send instead", () => {
    expect(mapLegacyTier("desktop", after)).toMatchObject({
      violation: {
        code: "container_tiers_sunset",
        message: "Container tiers are gone since 2027-01-31",
        fix: `Send resourceTierId 'creator', flavorId 'fullstack' and addonIds ["gui","code-server"] instead`,
      },
    });
    expect(mapLegacyTier("light", after)).toMatchObject({ violation: { code: "container_tiers_sunset" } });
  });

  test("is replaced by what its own record says", () => {
    const db = openDatabase(":memory:", { migrate: true });
    for (const { id, replacement } of getAllContainerTiers(db)) {
      expect(mapLegacyTier(id, before)).toEqual({ mapping: replacement });
    }
    db.close();
  });
});
