import { describe, expect, expectTypeOf, test } from "bun:test";
import * as types from "../src/index.ts";

/** The shapes that the first version of the API promised, written out by hand once more. */
interface PromisedTier {
  id: string;
  name: string;
  description: string | null;
  cpuCores: number;
  memoryGb: number;
  storageGb: number;
  priceMonthly: number;
  isDefault: boolean;
  sortOrder: number;
}
interface PromisedTierRecord extends PromisedTier {
  createdAt: string;
  updatedAt: string;
}
interface PromisedFlavor {
  id: string;
  name: string;
  description: string | null;
  languages: string[];
  imageSizeMb: number | null;
  isDefault: boolean;
  sortOrder: number;
}
interface PromisedAddon {
  id: string;
  name: string;
  description: string | null;
  category: "interface" | "compute" | "storage" | "devops";
  imageSizeMb: number | null;
  port: number | null;
  requiresGpu: boolean;
  priceMonthly: number;
  sortOrder: number;
}
interface PromisedProject {
  resourceTierId: string;
  flavorId: string;
  addonIds: string[];
  containerTierId: string | null;
  fqdnUrl: string | null;
  codeServerUrl: string | null;
  vncUrl: string | null;
}

describe("the shared types", () => {
  test("are exactly what was promised", () => {
    expectTypeOf<types.ResourceTier>().toEqualTypeOf<PromisedTier>();
    expectTypeOf<types.ContainerFlavor>().toEqualTypeOf<PromisedFlavor>();
    expectTypeOf<types.ContainerAddon>().toEqualTypeOf<PromisedAddon>();
    expectTypeOf<types.Project>().toExtend<PromisedProject>();
    expectTypeOf<types.ResourceTierRecord>().toEqualTypeOf<PromisedTierRecord>();
    const tier = {
      id: "x",
      name: "X",
      description: null,
      cpuCores: 1,
      memoryGb: 1,
      storageGb: 1,
      priceMonthly: 0,
      isDefault: false,
      sortOrder: 0,
    };
    expect(types.ResourceTier.parse(tier)).toEqual(tier);
  });

  test("refuse ids that could not be part of a host name", () => {
    for (const id of ["", "A", "a_b", "-a", "a-", "a--b", "a".repeat(23), "ä"]) {
      expect(types.CatalogId.safeParse(id).success).toBe(false);
    }
    expect(types.CatalogId.safeParse("code-server").success).toBe(true);
  });

  test("take any visible name and refuse what nobody could see", () => {
    const parse = (name: string) => types.CreateProjectRequest.safeParse({ name }).success;
    for (const name of ["a", "🚀", "日本語", "  padded  ", "n".repeat(100)]) expect(parse(name)).toBe(true);
    for (const name of ["", "   ", "\u200b", "a\nb", "\u0000", "n".repeat(101)]) expect(parse(name)).toBe(false);
  });
});
