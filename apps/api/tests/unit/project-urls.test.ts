import { describe, expect, test } from "bun:test";
import { generateProjectUrls, resolveImage } from "../../src/services/image-resolver.ts";

const domain = { wildcardDomain: "pods.example.com" };
const addonsOf = (addonIds: string[]) => resolveImage({ addonIds }).addons;

describe("a project's URLs", () => {
  test("are its own host and one for each service, with the ports Coolify routes to", () => {
    expect(generateProjectUrls("demo", addonsOf(["gui", "code-server"]), domain)).toEqual({
      opencode: "https://demo.pods.example.com",
      acpGateway: "https://acp-demo.pods.example.com",
      codeServer: "https://code-demo.pods.example.com",
      vnc: "https://vnc-demo.pods.example.com",
      domainsConfig: [
        "https://demo.pods.example.com:4096",
        "https://acp-demo.pods.example.com:4097",
        "https://code-demo.pods.example.com:8080",
        "https://vnc-demo.pods.example.com:6080",
      ].join(","),
    });
  });

  test("leave out what the project does not have", () => {
    expect(generateProjectUrls("demo", addonsOf(["databases"]), domain)).toEqual({
      opencode: "https://demo.pods.example.com",
      acpGateway: "https://acp-demo.pods.example.com",
      codeServer: null,
      vnc: null,
      domainsConfig: "https://demo.pods.example.com:4096,https://acp-demo.pods.example.com:4097",
    });
  });

  test("name another addon with a port by its id", () => {
    const { domainsConfig } = generateProjectUrls("demo", [{ id: "jupyter", port: 8888 }], domain);
    expect(domainsConfig).toEndWith(",https://jupyter-demo.pods.example.com:8888");
  });

  test("are null without a wildcard domain, which is the default", () => {
    const none = { opencode: null, acpGateway: null, codeServer: null, vnc: null, domainsConfig: "" };
    expect(generateProjectUrls("demo", addonsOf(["gui"]), { wildcardDomain: null })).toEqual(none);
    expect(generateProjectUrls("demo", addonsOf(["gui"]))).toEqual(none);
  });
});
