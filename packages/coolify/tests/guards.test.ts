import { describe, expect, test } from "bun:test";
import {
  CoolifyError,
  cpuLimit,
  domainList,
  domainsProblem,
  imageReference,
  imageText,
  memoryLimit,
  portList,
} from "../src/index.ts";
import { cpuTextProblem, memoryTextProblem, swapProblem } from "../src/limits.ts";
import { property } from "./support/seeded.ts";

function refusal(call: () => unknown): CoolifyError | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof CoolifyError) return error;
    throw error;
  }
}

const anything = "aB9 $'\"\\{}[]#\n\r\t\0;,:/@-_.é😀<>`&|%";
const HEX = "0123456789abcdef";

describe("an image", () => {
  const table: [string, string, string][] = [
    ["nginx", "nginx", "latest"],
    ["nginx:1.27", "nginx", "1.27"],
    ["127.0.0.1:5009/a/b:dev", "127.0.0.1:5009/a/b", "dev"],
    ["127.0.0.1:5009/a/b", "127.0.0.1:5009/a/b", "latest"],
    [`ghcr.io/x/y@sha256:${"ab".repeat(32)}`, "ghcr.io/x/y@sha256", "ab".repeat(32)],
    [`ghcr.io/x/y:v1@sha256:${"0".repeat(64)}`, "ghcr.io/x/y@sha256", "0".repeat(64)],
    ["ghcr.io/x-y/z__a.b:V1_2-3", "ghcr.io/x-y/z__a.b", "V1_2-3"],
  ];
  for (const [text, docker_registry_image_name, docker_registry_image_tag] of table) {
    test(`${text} is ${docker_registry_image_name} and ${docker_registry_image_tag}`, () => {
      expect(imageReference(text)).toEqual({ docker_registry_image_name, docker_registry_image_tag });
    });
  }

  const wrong = [
    "",
    " nginx",
    "nginx ",
    "Nginx",
    "docker://nginx",
    "nginx:",
    "nginx:1+2",
    "nginx:a:b",
    "nginx@sha256:ab",
  ];
  const digests = [`nginx:${"a".repeat(64)}`, `nginx:sha256-${"a".repeat(64)}`, `nginx@sha256:${"A".repeat(64)}`];
  for (const text of [...wrong, ...digests, "a//b", "/a", "a/", "-a", `${"a".repeat(256)}:1`, "a;b", "a\nb"]) {
    test(`is refused as ${JSON.stringify(text.slice(0, 30))}`, () => {
      expect(refusal(() => imageReference(text))?.failure).toBe("unsafe_value");
    });
  }

  property("is the same again after a round trip, and never something between", (random) => {
    const host = random.pick(["", "ghcr.io/", "127.0.0.1:5000/", "registry.example.com:443/"]);
    const name = `${host}${random.text("abc019", 1, 8)}${random.pick(["", "/x-y", "/a.b/c_d"])}`;
    const digest = random.text(HEX, 64, 64);
    const tag = random.text("aZ09_", 1, 1) + random.text("aZ09_.-", 0, 20);
    const suffix = random.pick(["", `:${tag}`, `@sha256:${digest}`, `:${tag}@sha256:${digest}`]);
    const fields = imageReference(name + suffix);
    expect(imageReference(imageText(fields))).toEqual(fields);
    expect(fields.docker_registry_image_name.replace(/@sha256$/, "")).toBe(name);
    expect(fields.docker_registry_image_tag).toBe(suffix.includes("@") ? digest : suffix === "" ? "latest" : tag);
  });

  property("out of anything is either refused or split into a name and a tag that Coolify takes", (random) => {
    const text = random.text(`nginx:@sha256/${anything}`, 0, 30);
    const error = refusal(() => {
      const { docker_registry_image_name, docker_registry_image_tag } = imageReference(text);
      expect(docker_registry_image_name).toMatch(/^[a-z0-9][a-z0-9._/:-]*(@sha256)?$/);
      expect(docker_registry_image_tag).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
    });
    if (error !== null) expect(error.failure).toBe("unsafe_value");
  });
});

describe("a limit", () => {
  property("of memory is whole MiB, never more than was given, and one that Coolify applies", (random) => {
    const bytes = random.int(6 * 2 ** 20, 2 ** 40);
    const text = memoryLimit(bytes);
    expect(text).toMatch(/^[1-9]\d*m$/);
    expect(Number.parseInt(text, 10) * 2 ** 20).toBeWithin(bytes - 2 ** 20 + 1, bytes + 1);
    expect(memoryTextProblem(text)).toBeNull();
  });

  property("of CPUs is a plain number within a hundredth", (random) => {
    const cpus = 0.01 + random.next() * random.pick([1, 64, 1000]);
    const text = cpuLimit(cpus);
    expect(text).toMatch(/^\d+(\.\d{1,2})?$/);
    expect(Math.abs(Number(text) - cpus)).toBeLessThanOrEqual(0.0051);
    expect(cpuTextProblem(text)).toBeNull();
  });

  test("that is none, too small or no number is refused", () => {
    for (const bytes of [0, -1, 5 * 2 ** 20, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal(() => memoryLimit(bytes))?.failure).toBe("unsafe_value");
    }
    for (const cpus of [0, -1, 0.001, 1e9, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal(() => cpuLimit(cpus))?.failure).toBe("unsafe_value");
    }
  });

  test("as text has a unit that everyone reads alike", () => {
    for (const good of ["0", "512m", "2g", "300M", "300mb", "2G", "6m"]) expect(memoryTextProblem(good)).toBeNull();
    for (const bad of ["", "2048", "0.5g", "2Gi", "300Mi", "lots", "5m", "-1", "512", "1k", "0m", " 2g", "2 g"]) {
      expect(memoryTextProblem(bad)).not.toBeNull();
    }
    for (const good of ["0", "2", "0.5", "1.5", "0.01"]) expect(cpuTextProblem(good)).toBeNull();
    for (const bad of ["", "500m", "abc", "-1", "0.001", "1e3", "1,5", " 1", ".5", "9999"]) {
      expect(cpuTextProblem(bad)).not.toBeNull();
    }
  });

  test("of swap includes the memory", () => {
    for (const [memory, swap] of [
      ["2g", "2g"],
      ["300m", "1g"],
      ["2g", "0"],
      ["1024m", "1g"],
    ]) {
      expect(swapProblem(memory, swap)).toBeNull();
    }
    for (const [memory, swap] of [
      ["2g", "1g"],
      ["1025m", "1g"],
      ["0", "1g"],
    ]) {
      expect(swapProblem(memory, swap)).not.toBeNull();
    }
  });
});

describe("ports and domains", () => {
  test("are written as Coolify reads them", () => {
    expect(portList([4096, 8080])).toBe("4096,8080");
    expect(
      domainList([
        { url: "https://a.example.com", port: 4096 },
        { url: "https://b.example.com/sub", port: 8080 },
        { url: "http://10.0.0.1" },
      ]),
    ).toBe("https://a.example.com:4096,https://b.example.com:8080/sub,http://10.0.0.1");
    expect(domainList([])).toBe("");
  });

  for (const ports of [[], [0], [65_536], [1.5], [80, 80], [Number.NaN], [-1]]) {
    test(`are refused as [${ports.join(", ")}]`, () => {
      expect(refusal(() => portList(ports))?.errors[0]?.path).toBe("ports_exposes");
    });
  }

  const bad = ["a.example.com", "ftp://a", "https://*.a", "https://A.a", "https://a:99", "https://a?x", "https://a#x"];
  for (const url of [
    ...bad,
    "https://u@a",
    "https://a,https://b",
    "https:// a",
    "https://a b",
    "https://",
    "https://a..b",
  ]) {
    test(`are refused as ${url}`, () => {
      expect(refusal(() => domainList([{ url, port: 80 }]))?.failure).toBe("unsafe_value");
    });
  }

  test("do not clash with each other in the proxy, which looks at the host and not at the port", () => {
    expect(domainsProblem("https://a.example.com:1,https://a.example.com:2")).toContain("twice");
    expect(domainsProblem("https://a.example.com:1,http://a.example.com:2")).toContain("twice");
    expect(domainsProblem("https://a.example.com:1,https://a.example.com:2/x")).toBeNull();
  });

  property("come back as they were given", (random) => {
    const domains = Array.from({ length: random.int(1, 6) }, (_, index) => ({
      url: `${random.pick(["http", "https"])}://h${index}-${random.text("az09", 1, 6)}.example.com`,
      port: random.int(1, 65_535),
    }));
    const text = domainList(domains);
    expect(domainsProblem(text)).toBeNull();
    const back = text.split(",").map((item) => {
      const port = Number(/:(\d+)$/.exec(item)?.[1]);
      return { url: item.replace(/:\d+$/, ""), port };
    });
    expect(back).toEqual(domains);
  });
});
