import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { launchBrowser, type Browser } from "./support/browser.ts";
import type { Page } from "./support/page.ts";
import { countColours } from "./support/png.ts";
import { describeInBrowser, startSandbox, type Sandbox } from "./support/sandbox.ts";
import { until } from "./support/until.ts";

const PASSWORD = "test-password-of-code-server";
const WINDOW = { x: 0, y: 0, width: 1280, height: 800 };
const SOURCE = "const answer: number = 6 * 7;";

/** Where screenshots are kept, if anywhere. */
const shots = process.env["AGENTPOD_SCREENSHOTS"];

describeInBrowser("code-server in a browser", () => {
  let browser: Browser;
  let sandbox: Sandbox;
  let page: Page;

  beforeAll(async () => {
    const environment = { AGENTPOD_CODE_SERVER_PASSWORD: PASSWORD };
    sandbox = await startSandbox({ flavor: "js", addon: "code-server", port: 8080, environment });
    await sandbox.run(`printf '%s\\n' '${SOURCE}' > ~/workspace/answer.ts`);
    browser = await launchBrowser();
    page = await browser.newPage(WINDOW);
    const serves = async () => (await fetch(`${sandbox.origin}/healthz`).catch(() => undefined))?.ok === true;
    await until("code-server serves", serves);
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await sandbox?.[Symbol.asyncDispose]();
  });

  async function logIn(password: string): Promise<void> {
    await page.waitFor(`document.querySelector("input.password")`);
    await page.evaluate(`document.querySelector("input.password").focus()`);
    await page.type(password);
    await page.press("Enter");
  }

  test("a wrong password is refused on the login page", async () => {
    await page.goto(sandbox.origin);
    await logIn("wrong");
    await page.waitFor(`document.querySelector(".error")?.textContent.includes("Incorrect password")`);
  });

  test("the password opens the workbench on the workspace", async () => {
    await logIn(PASSWORD);
    await page.waitFor(
      `document.querySelector(".monaco-workbench .explorer-folders-view")?.textContent.includes("answer.ts")`,
    );
    expect(await page.evaluate("document.title")).toContain("workspace");
  });

  test("a file opens with its text in colours", async () => {
    const place = `document.querySelector('.explorer-folders-view [aria-label^="answer.ts"]')`;
    const { x, y } = (await page.evaluate(`{ const { x, y } = ${place}.getBoundingClientRect(); ({ x, y }) }`)) as {
      x: number;
      y: number;
    };
    await page.click(x + 30, y + 8, { count: 2 });
    await page.waitFor(`document.querySelector(".view-lines")?.textContent.replace(/\\s/g, " ").includes("${SOURCE}")`);
    await page.waitFor(
      `new Set([...document.querySelectorAll(".view-lines span[class^=mtk]")].map((e) => e.className)).size > 2`,
    );
    const image = await page.screenshot(shots && join(shots, "code-server.png"));
    expect(countColours(image, WINDOW).size).toBeGreaterThan(200);
  });

  test("the terminal runs a command", async () => {
    await page.press("`", ["Control"]);
    await page.waitFor(`document.activeElement?.classList.contains("xterm-helper-textarea")`);
    await until("the shell runs", async () => {
      return (await sandbox.run("pgrep -f '[s]hellIntegration-bash' || true")) !== "";
    });
    await page.type("echo typed-$((6*7)) > ~/workspace/typed.txt");
    await page.press("Enter");
    const written = () => sandbox.run("cat ~/workspace/typed.txt || true");
    await until("the command was run", async () => (await written()) === "typed-42");
    const image = await page.screenshot(shots && join(shots, "code-server-terminal.png"));
    expect(countColours(image, WINDOW).size).toBeGreaterThan(200);
  });
});
