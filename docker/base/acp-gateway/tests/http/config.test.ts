import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runToEnd, startGateway, temporaryFolder, TOKEN } from "../support/gateway.ts";

describe("the gateway's settings", () => {
  test("all problems are told at once, and the exit code says configuration", async () => {
    const { code, stdout, stderr } = await runToEnd({
      AGENTPOD_GATEWAY_PORT: "99999",
      AGENTPOD_GATEWAY_HOST: "not a host",
      AGENTPOD_WORKSPACE: "relative/path",
      AGENTPOD_PROJECT_ID: "two\nlines",
    });
    expect(code).toBe(78);
    expect(stdout).toBe("");
    for (const name of ["GATEWAY_PORT", "GATEWAY_HOST", "GATEWAY_TOKEN", "WORKSPACE", "PROJECT_ID"]) {
      expect(stderr).toContain(`AGENTPOD_${name}`);
    }
    expect(stderr).not.toContain("\n    at ");
  });

  test("a workspace that does not exist stops the start", async () => {
    const { code, stderr } = await runToEnd({
      AGENTPOD_GATEWAY_TOKEN: TOKEN,
      AGENTPOD_WORKSPACE: "/no/such/folder",
    });
    expect(code).toBe(78);
    expect(stderr).toContain("/no/such/folder");
  });

  test("a short or unprintable token is refused without being shown", async () => {
    for (const token of ["short-secret", "long enough but with spaces"]) {
      const { code, stderr } = await runToEnd({
        AGENTPOD_GATEWAY_TOKEN: token,
        AGENTPOD_WORKSPACE: "/tmp",
      });
      expect(code).toBe(78);
      expect(stderr).not.toContain(token);
    }
  });

  test("a token both inline and in a file is refused", async () => {
    const { code, stderr } = await runToEnd({
      AGENTPOD_GATEWAY_TOKEN: TOKEN,
      AGENTPOD_GATEWAY_TOKEN_FILE: "/etc/hostname",
      AGENTPOD_WORKSPACE: "/tmp",
    });
    expect(code).toBe(78);
    expect(stderr).toContain("both set");
  });

  test("a token file that cannot be read is refused", async () => {
    const { code, stderr } = await runToEnd({
      AGENTPOD_GATEWAY_TOKEN_FILE: "/no/such/token",
      AGENTPOD_WORKSPACE: "/tmp",
    });
    expect(code).toBe(78);
    expect(stderr).toContain("AGENTPOD_GATEWAY_TOKEN_FILE");
  });

  test("the token may come from a file, and empty variables count as not set", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "token");
    await writeFile(file, `${TOKEN}\n`);
    await using gateway = await startGateway({
      AGENTPOD_GATEWAY_TOKEN: "",
      AGENTPOD_GATEWAY_TOKEN_FILE: file,
      AGENTPOD_GATEWAY_HOST: "",
      AGENTPOD_PROJECT_ID: "",
    });
    const answer = await gateway.get("/info");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ projectId: null });
  });

  test("PORT and HOST belong to the app in the sandbox and are not read", async () => {
    await using gateway = await startGateway({ PORT: "1", HOST: "256.0.0.1" }, { args: ["--agentpod-project=p1"] });
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect(gateway.listening.port).toBeGreaterThan(1024);
  });

  test("a port that is taken ends the start with one line", async () => {
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const { code, stderr } = await runToEnd({
      AGENTPOD_GATEWAY_PORT: String(gateway.listening.port),
      AGENTPOD_GATEWAY_TOKEN: TOKEN,
      AGENTPOD_WORKSPACE: folder.path,
    });
    expect(code).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
