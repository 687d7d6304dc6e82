import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type CoolifyFake, startCoolifyFake } from "@agentpod/coolify-fake";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { createLogger } from "../../src/http/logger.ts";
import { createMetrics } from "../../src/services/metrics/metrics.ts";
import { docBlocks, printsAs } from "../support/doc-blocks.ts";
import { describeUnless } from "../support/engine.ts";
import { makeOldDatabase } from "../support/old-database.ts";
import { scratchCheckout } from "../support/scratch-checkout.ts";
import { openShell, type ShellSession } from "../support/shell-session.ts";

const page = resolve(import.meta.dir, "../../../../docs/operations.md");
const markdown = await Bun.file(page).text();
const blocks = docBlocks(markdown);
const sections = [...new Set(blocks.map(({ section }) => section))];
const missing = ["curl", "git", "npm", "ps"].filter((tool) => Bun.which(tool) === null);

describe("docs/operations.md", () => {
  test("leaves only these commands to readers", () => {
    const left = blocks.flatMap(({ notRun, script }) => (notRun === undefined ? [] : [script.split("\n")[0]]));
    expect(left).toEqual([
      "ssh root@coolify-server docker login ghcr.io",
      "image=$(docker/scripts/build.sh --flavor js --addon code-server | tail -n 1)",
    ]);
  });

  test("alerts on metrics that there are", async () => {
    const db = openDatabase(":memory:", { migrate: true });
    const metrics = createMetrics({ db, logger: createLogger("silent"), version: "1", runtime: "process" });
    const { text } = metrics.render(null);
    metrics.close();
    closeDatabase(db);
    const families = new Set(Array.from(text.matchAll(/^# TYPE (\w+)/gm), ([, name]) => name));
    const named = markdown.match(/\bagentpod_(?!database_backup)\w*[a-z]\b(?=[{\s])/g) ?? [];
    expect(named.length).toBeGreaterThan(5);
    const unknown = named.filter((name) => !families.has(name.replace(/_(count|bucket|sum)$/, "")));
    expect(unknown).toEqual([]);
  });

  test("shows what its commands print in a form that is compared", () => {
    expect(printsAs("Backup: /b-20260101T000000000Z\n…\nend", "Backup: /b-20270202T111111111Z\nmore\nend\n")).toBe(
      true,
    );
    expect(printsAs("Backup: /b-20260101T000000000Z", "Backup: /c-20270202T111111111Z\n")).toBe(false);
    expect(printsAs("a … c", "a b d\n")).toBe(false);
    expect(printsAs("one\n…", "one\n")).toBe(true);
    expect(printsAs("one", "one\ntwo\n")).toBe(false);
  });
});

describeUnless(
  missing.length > 0 ? `its commands need ${missing.join(", ")}` : undefined,
  "an operator with an AgentPod from before, a Coolify and docs/operations.md",
  () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "agentpod-operator-")));
    const checkout = join(folder, "agentpod");
    let coolify: CoolifyFake;
    let shell: ShellSession;

    beforeAll(async () => {
      await scratchCheckout(checkout);
      mkdirSync(join(checkout, "data"));
      mkdirSync(join(folder, "home"));
      makeOldDatabase(join(checkout, "data/agentpod.db"));
      coolify = startCoolifyFake();
      writeFileSync(join(checkout, ".env"), settings(coolify));
      shell = openShell(checkout, { PATH: process.env["PATH"] ?? "", HOME: join(folder, "home"), LANG: "C.UTF-8" });
    }, 120_000);

    afterAll(async () => {
      await shell.close();
      await coolify.close();
      rmSync(folder, { recursive: true, force: true });
    });

    for (const section of sections) {
      test(`can follow "${section}"`, async () => {
        for (const { line, script, notRun, expected } of blocks.filter((block) => block.section === section)) {
          if (notRun !== undefined) continue;
          const printed = (await shell.run(script)).replaceAll(checkout, "/srv/agentpod");
          if (expected === undefined || printsAs(expected, printed)) continue;
          expect(`${script}\n\n${printed}`, `what line ${line} prints`).toBe(`${script}\n\n${expected}\n`);
        }
      }, 300_000);
    }
  },
);

/** What the operator's `.env` has. */
function settings({ url, tokens, projectUuid, serverUuid, environmentName }: CoolifyFake): string {
  return Object.entries({
    PORT: freePort(),
    API_TOKEN: "0123456789abcdef0123456789abcdef",
    REGISTRY_URL: "registry.example.com",
    WILDCARD_DOMAIN: "pods.example.com",
    COOLIFY_URL: url,
    COOLIFY_TOKEN: `'${tokens.all}'`,
    COOLIFY_PROJECT_UUID: projectUuid,
    COOLIFY_SERVER_UUID: serverUuid,
    COOLIFY_ENVIRONMENT_NAME: environmentName,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function freePort(): number {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = server;
  void server.stop(true);
  if (port === undefined) throw new Error("the system gave no port");
  return port;
}
