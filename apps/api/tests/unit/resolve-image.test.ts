import { describe, expect, test } from "bun:test";
import {
  ImageConfigurationError,
  resolveImage,
  type ResolverContext,
  validateContainerConfig,
} from "../../src/services/image-resolver.ts";
import { defaultContext } from "../../src/services/resolver-context.ts";

const seeded = defaultContext();
const context: ResolverContext = {
  ...seeded,
  registryUrl: "registry.test:5000",
  registryOwner: "acme",
  imageVersion: "1.2.3",
  capabilities: { gpu: false },
};
const withGpu: ResolverContext = { ...context, capabilities: { gpu: true } };

describe("resolving an image", () => {
  test.each([
    [{}, "agentpod-fullstack", [4096, 4097]],
    [{ flavorId: "js", addonIds: ["code-server"] }, "agentpod-js-code-server", [4096, 4097, 8080]],
    [{ addonIds: ["gui", "code-server"] }, "agentpod-fullstack-code-server-gui", [4096, 4097, 6080, 8080]],
    [{ flavorId: "go", addonIds: ["databases", "cloud"] }, "agentpod-go-cloud-databases", [4096, 4097]],
    [{ addonIds: ["gui", "gui", "gui"] }, "agentpod-fullstack-gui", [4096, 4097, 6080]],
  ])("from %j gives %s", (options, imageName, exposedPorts) => {
    const resolution = resolveImage(options, context);
    expect(resolution).toMatchObject({ imageName, imageTag: "1.2.3", exposedPorts });
    expect(resolution.imageRef).toBe(`registry.test:5000/acme/${imageName}:1.2.3`);
    expect(resolution.portsExposes).toBe(exposedPorts.join(","));
  });

  test.each([
    ["starter", { limits_memory: "2048m", limits_cpus: "1" }, { memoryBytes: 2 ** 31, nanoCpus: 1e9 }],
    ["builder", { limits_memory: "4096m", limits_cpus: "2" }, { memoryBytes: 2 ** 32, nanoCpus: 2e9 }],
    ["power", { limits_memory: "16384m", limits_cpus: "8" }, { memoryBytes: 2 ** 34, nanoCpus: 8e9 }],
  ])("gives tier %s its limits in both forms", (resourceTierId, resourceLimits, containerLimits) => {
    const resolution = resolveImage({ resourceTierId }, context);
    expect(resolution.resourceLimits).toEqual(resourceLimits);
    expect(resolution.containerLimits).toMatchObject(containerLimits);
  });

  test("gives the same image whatever the order of the addons", () => {
    const orders = [
      ["gui", "cloud", "databases"],
      ["databases", "gui", "cloud"],
      ["cloud", "databases", "gui"],
    ];
    const refs = orders.map((addonIds) => resolveImage({ addonIds }, context).imageRef);
    expect(new Set(refs).size).toBe(1);
  });

  test("folds an addon asked for twice, and says so once", () => {
    const { addons, warnings } = resolveImage({ addonIds: ["gui", "gui", "gui"] }, context);
    expect(addons.map(({ id }) => id)).toEqual(["gui"]);
    expect(warnings).toEqual(["Addon 'gui' was asked for more than once"]);
  });

  test("takes the defaults that the catalog names", () => {
    const flavors = seeded.flavors.map((flavor) => ({ ...flavor, isDefault: flavor.id === "rust" }));
    const tiers = seeded.tiers.map((tier) => ({ ...tier, isDefault: tier.id === "power" }));
    const resolution = resolveImage({}, { ...context, flavors, tiers });
    expect([resolution.flavor.id, resolution.resourceTier.id]).toEqual(["rust", "power"]);
  });

  test("needs a GPU exactly when an addon does", () => {
    expect(resolveImage({ addonIds: ["gpu"] }, withGpu).requiresGpu).toBe(true);
    expect(resolveImage({ addonIds: ["gui"] }, withGpu).requiresGpu).toBe(false);
  });

  test("only warns of a GPU while no runtime is known", () => {
    const { requiresGpu, warnings } = resolveImage({ addonIds: ["gpu"] }, seeded);
    expect(requiresGpu).toBe(true);
    expect(warnings).toEqual(["Addon 'gpu' needs a GPU, and it is not known whether there is one"]);
  });

  test("fails with all violations of a configuration that cannot be", () => {
    const options = { resourceTierId: "huge", flavorId: "cobol", addonIds: ["gpu", "disco"] };
    expect(() => resolveImage(options, context)).toThrow(ImageConfigurationError);
    expect(validateContainerConfig(options, context).violations.map(({ code }) => code)).toEqual([
      "resource_tier_not_found",
      "flavor_not_found",
      "addon_not_found",
      "gpu_unavailable",
    ]);
  });
});

describe("a configuration's violation", () => {
  test("of an unknown tier names the near one", () => {
    expect(validateContainerConfig({ resourceTierId: "bilder" }, context).violations).toEqual([
      {
        path: "resourceTierId",
        code: "resource_tier_not_found",
        message: "Resource tier 'bilder' not found",
        fix: "Did you mean 'builder'? Known ids: starter, builder, creator, power",
      },
    ]);
  });

  test("of an unknown flavor lists the known ones when none is near", () => {
    const [violation] = validateContainerConfig({ flavorId: "invalid" }, context).violations;
    expect(violation?.fix).toBe("Known ids: js, python, go, rust, fullstack, polyglot");
  });

  test("of an unknown addon says which of them it is", () => {
    const { violations } = validateContainerConfig({ addonIds: ["gui", "code-sever"] }, context);
    expect(violations).toMatchObject([{ path: "addonIds.1", code: "addon_not_found" }]);
    expect(violations[0]?.fix).toStartWith("Did you mean 'code-server'?");
  });

  test("of a missing GPU says which addon to leave out", () => {
    const { violations } = validateContainerConfig({ addonIds: ["gpu"] }, context);
    expect(violations).toMatchObject([{ path: "addonIds.0", code: "gpu_unavailable", fix: "Leave out 'gpu'" }]);
  });

  test("of an addon on another flavor than it needs offers both ways out", () => {
    const addons = seeded.addons.map((addon) => ({ ...addon, requiresFlavor: addon.id === "cloud" ? "go" : null }));
    const { violations } = validateContainerConfig({ flavorId: "js", addonIds: ["cloud"] }, { ...context, addons });
    expect(violations).toMatchObject([{ path: "addonIds.0", code: "addon_requires_flavor" }]);
    expect(violations[0]?.fix).toBe("Use flavor 'go', or leave out 'cloud'");
    expect(validateContainerConfig({ flavorId: "go", addonIds: ["cloud"] }, { ...context, addons }).valid).toBe(true);
  });

  test("of an empty catalog is not a crash", () => {
    const empty = { ...context, tiers: [], flavors: [], addons: [] };
    const { valid, violations } = validateContainerConfig({ addonIds: ["gui"] }, empty);
    expect(valid).toBe(false);
    expect(violations.map(({ path }) => path)).toEqual(["resourceTierId", "flavorId", "addonIds.0"]);
  });

  test.each(["__proto__", "constructor", "toString", "", " js", "JS", "a".repeat(100)])(
    "is found for the id %j",
    (id) => {
      const { violations } = validateContainerConfig({ resourceTierId: id, flavorId: id, addonIds: [id] }, context);
      expect(violations).toHaveLength(3);
    },
  );
});
