import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { launchBrowser, type Browser } from "./support/browser.ts";
import type { Page } from "./support/page.ts";
import { countColours, shareOf } from "./support/png.ts";
import { describeInBrowser, startSandbox, type Sandbox } from "./support/sandbox.ts";
import { until } from "./support/until.ts";

const PASSWORD = "test-password-of-the-desktop";
const WIDTH = 1280;
const HEIGHT = 800;
/** Colours of openbox/autostart, tint2rc and Xresources. */
const WALLPAPER = 0x26384a;
const PANEL = 0x1b2430;
const TERMINAL = 0x17202b;
const MENU = 0x1f2935;
const PANEL_HEIGHT = 36;
const STARTER = { x: 22, y: HEIGHT - PANEL_HEIGHT / 2 };
const PANEL_PLACE = { x: 0, y: HEIGHT - PANEL_HEIGHT, width: WIDTH, height: PANEL_HEIGHT };
const MIDDLE = { x: 100, y: 100, width: WIDTH - 200, height: HEIGHT - 200 };
const CLOCK_PLACE = { x: WIDTH - 90, y: HEIGHT - PANEL_HEIGHT, width: 90, height: PANEL_HEIGHT };

/** Where screenshots are kept, if anywhere. */
const shots = process.env["AGENTPOD_SCREENSHOTS"];
const shot = (name: string) => (shots ? join(shots, `${name}.png`) : undefined);

describeInBrowser("the desktop in a browser", () => {
  let browser: Browser;
  let sandbox: Sandbox;
  let page: Page;

  beforeAll(async () => {
    const environment = { AGENTPOD_GUI_PASSWORD: PASSWORD };
    sandbox = await startSandbox({ flavor: "js", addon: "gui", port: 6080, environment });
    browser = await launchBrowser();
    page = await browser.newPage({ width: WIDTH, height: HEIGHT });
    await page.allowClipboard(sandbox.origin);
    await until(
      "the desktop is ready",
      async () => (await fetch(`${sandbox.origin}/health`).catch(() => undefined))?.ok === true,
    );
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await sandbox?.[Symbol.asyncDispose]();
  });

  async function logIn(password: string): Promise<void> {
    await page.waitFor(`document.querySelector("#password")`);
    await page.evaluate(`document.querySelector("#password").focus()`);
    await page.type(password);
    await page.press("Enter");
  }

  /** The colours of a region change with the time it takes to draw them. */
  function untilShare(
    what: string,
    colour: number,
    region: Parameters<typeof shareOf>[2],
    share: number,
  ): Promise<void> {
    return until(what, async () => shareOf(await page.screenshot(), colour, region) > share);
  }

  async function wordUnderTerminalCursor(): Promise<{ x: number; y: number }> {
    const text = await sandbox.run("xwininfo -id $(xprop -root _NET_ACTIVE_WINDOW | grep -o '0x[0-9a-f]*')");
    const number = (label: string) => Number(new RegExp(`${label}: +(\\d+)`).exec(text)?.[1]);
    return { x: number("Absolute upper-left X") + 40, y: number("Absolute upper-left Y") + 17 };
  }

  test("a wrong password is refused on the login page", async () => {
    await page.goto(sandbox.origin);
    await logIn("wrong");
    await page.waitFor(`document.querySelector("[role=alert]")?.textContent.includes("not the password")`);
    const image = await page.screenshot(shot("login"));
    expect(countColours(image, { x: 0, y: 0, width: WIDTH, height: HEIGHT }).size).toBeGreaterThan(20);
  });

  test("the password opens a desktop as large as the window, with wallpaper, panel and clock", async () => {
    await logIn(PASSWORD);
    await page.waitFor(`document.documentElement.dataset.state === "connected"`);
    expect(await page.evaluate("location.pathname + location.search")).toBe("/");
    expect(await page.evaluate("document.cookie")).toBe("");
    await untilShare("the panel is at the lower edge", PANEL, PANEL_PLACE, 0.5);
    // Letters are drawn with many shades between those of the panel and the text.
    const coloursOfClock = async () => countColours(await page.screenshot(), CLOCK_PLACE).size;
    await until("the clock is drawn", async () => (await coloursOfClock()) > 30);
    expect(await sandbox.run("xrandr")).toContain(`current ${WIDTH} x ${HEIGHT}`);
    const image = await page.screenshot(shot("desktop"));
    // All but the pointer.
    expect(shareOf(image, WALLPAPER, MIDDLE)).toBeGreaterThan(0.99);
    expect(shareOf(image, PANEL, { ...PANEL_PLACE, y: HEIGHT - PANEL_HEIGHT - 1, height: 1 })).toBe(0);
    expect(countColours(image, { x: 0, y: 0, width: WIDTH, height: HEIGHT }).size).toBeGreaterThan(60);
  });

  test("the right button opens the menu", async () => {
    await page.click(500, 300, { button: "right" });
    await untilShare("the menu is drawn", MENU, { x: 505, y: 305, width: 60, height: 60 }, 0.3);
    await page.screenshot(shot("menu"));
    await page.press("Escape");
    await untilShare("the menu is gone", WALLPAPER, MIDDLE, 0.99);
  });

  test("the panel starts a terminal that takes what is typed", async () => {
    await page.click(STARTER.x, STARTER.y);
    await untilShare("a terminal is drawn", TERMINAL, { x: 400, y: 200, width: 400, height: 300 }, 0.9);
    await page.type("echo typed-$((6*7)) > ~/workspace/typed.txt");
    await page.press("Enter");
    await until(
      "the command was run",
      async () => (await sandbox.run("cat ~/workspace/typed.txt || true")) === "typed-42",
    );
  });

  test("a word selected on the desktop is in the browser's clipboard", async () => {
    await page.type("clear; echo visible$((6*7))word; cal 2>/dev/null; ls --color=always /");
    await page.press("Enter");
    const word = await wordUnderTerminalCursor();
    // Selected anew each time: a browser takes a text only from a page that has just been used.
    await until("the word is selected by a double click", async () => {
      await page.click(word.x, word.y, { count: 2 });
      const field = await page.evaluate(`document.querySelector("#clipboard").value`);
      const clipboard = await page.evaluate("navigator.clipboard.readText()");
      return field === "visible42word" && clipboard === "visible42word";
    });
    const image = await page.screenshot(shot("terminal"));
    expect(countColours(image, { x: 140, y: 120, width: 700, height: 150 }).size).toBeGreaterThan(60);
  });

  test("a text from the browser is pasted on the desktop", async () => {
    await page.type("cat > ~/workspace/pasted.txt");
    await page.press("Enter");
    await page.evaluate(`{
      const field = document.querySelector("#clipboard");
      field.value = "from the browser: äöü €";
      field.dispatchEvent(new Event("input"));
    }`);
    await until("the text was pasted", async () => {
      await page.press("V", ["Control", "Shift"]);
      await page.press("Enter");
      return (await sandbox.run("cat ~/workspace/pasted.txt")).includes("from the browser: äöü €");
    });
    await page.press("d", ["Control"]);
  });

  test("the page connects again when the screen was started again", async () => {
    await sandbox.run("pkill -KILL Xtigervnc");
    await page.waitFor(`document.documentElement.dataset.state === "connecting"`);
    await page.waitFor(`document.documentElement.dataset.state === "connected"`);
    await untilShare("the panel is back", PANEL, PANEL_PLACE, 0.5);
    await untilShare(
      "the wallpaper is back",
      WALLPAPER,
      { x: 100, y: 100, width: WIDTH - 200, height: HEIGHT - 200 },
      0.9,
    );
  });

  test("logging out ends the connection and leads to the login", async () => {
    await page.evaluate(`document.querySelector("form[action='/logout']").submit()`);
    await page.waitFor(`document.querySelector("#password")`);
    await page.goto(sandbox.origin);
    await page.waitFor(`location.pathname === "/login"`);
  });
});
