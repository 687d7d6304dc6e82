import { describe, expect, test } from "bun:test";
import { isBlockedAddress, isBlockedHost } from "../../src/runtimes/blocked-address.ts";
import { checkSourceUrl } from "../../src/services/source-url.ts";

const codes = (url: string): string[] => checkSourceUrl(url).map(({ code }) => code);

describe("a source URL", () => {
  test.each([
    "https://github.com/acme/app.git",
    "http://forge.lan:3000/acme/app",
    "https://10.1.2.3/acme/app.git",
    "ssh://git@forge.example.com:2222/acme/app.git",
    "git://example.com/app.git",
    "https://xn--bcher-kva.example/app",
  ])("%s is fine", (url) => {
    expect(codes(url)).toEqual([]);
  });

  test.each([
    ["file:///etc/passwd", "source_url_scheme"],
    ["ext::sh -c id", "source_url_invalid"],
    ["ftp://example.com/x", "source_url_scheme"],
    ["javascript:alert(1)", "source_url_invalid"],
    ["https://user@example.com/x.git", "source_url_credentials"],
    ["https://:hunter2@example.com/x.git", "source_url_credentials"],
    ["ssh://git:hunter2@example.com/x.git", "source_url_credentials"],
    ["ssh://-oProxyCommand=x/y", "source_url_invalid"],
    ["git@github.com:acme/app.git", "source_url_invalid"],
    ["not a url", "source_url_invalid"],
    ["--upload-pack=touch", "source_url_invalid"],
    ["/srv/git/app.git", "source_url_invalid"],
    ["http://localhost/x", "source_url_address"],
    ["http://LOCALHOST./x", "source_url_address"],
    ["http://a.localhost/x", "source_url_address"],
    ["http://127.1/x", "source_url_address"],
    ["ssh://git@127.1/x", "source_url_address"],
    ["http://0x7f000001/x", "source_url_address"],
    ["http://017700000001/x", "source_url_address"],
    ["git://2130706433/x", "source_url_address"],
    ["http://0/x", "source_url_address"],
    ["http://169.254.169.254/latest/meta-data", "source_url_address"],
    ["http://[fe80::1]/x", "source_url_address"],
    ["http://[::]/x", "source_url_address"],
    ["http://[::ffff:7f00:1]/x", "source_url_address"],
  ])("%s is refused as %s", (url, code) => {
    expect(codes(url)).toContain(code);
  });

  test("with credentials for this machine is told both", () => {
    expect(codes("http://user:hunter2@127.0.0.1/x")).toEqual(["source_url_credentials", "source_url_address"]);
  });

  test("is not repeated in any message, as it may hold a secret", () => {
    for (const url of ["https://u:hunter2@h/x", "hunter2://x", "hunter2", "http://hunter2@localhost/"]) {
      expect(JSON.stringify(checkSourceUrl(url))).not.toContain("hunter2");
    }
  });
});

describe("blocked addresses", () => {
  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "169.254.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "[::1]",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "ff02::1",
  ])("%s is one", (address) => {
    expect(isBlockedAddress(address)).toBe(true);
  });

  test.each(["10.0.0.1", "192.168.1.1", "172.16.0.1", "8.8.8.8", "2001:db8::1", "fd00::1", "::ffff:8.8.8.8"])(
    "%s is none",
    (address) => {
      expect(isBlockedAddress(address)).toBe(false);
    },
  );

  test("a name is one only when it always means this machine", () => {
    expect(isBlockedHost("localhost")).toBe(true);
    expect(isBlockedHost("localhost.example.com")).toBe(false);
  });
});
