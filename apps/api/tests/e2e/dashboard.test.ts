import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Browser, browserMissing, launchBrowser } from "../../../../docker/tests/support/browser.ts";
import type { Page } from "../../../../docker/tests/support/page.ts";
import { type AgentWorld, API_TOKEN, createAgentWorld } from "../support/agent-world.ts";
import { describeUnless } from "../support/engine.ts";
import { systemTable } from "../support/process-world.ts";
import { until } from "../support/wait.ts";

const WINDOW = { width: 900, height: 600 };
const dashboard = Bun.file(join(import.meta.dir, "../support/dashboard.html"));
/** Where screenshots are kept, if anywhere. */
const shots = process.env["AGENTPOD_SCREENSHOTS"];

describeUnless(browserMissing, "a dashboard in a browser", () => {
  let world: AgentWorld;
  let browser: Browser;
  let page: Page;
  let place: string;
  let session: string;
  let pages: ReturnType<typeof serve>;
  let otherPages: ReturnType<typeof serve>;
  /** Asked for by pages that should not have run. */
  const told: string[] = [];
  const serve = () =>
    Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch({ url }) {
        const { pathname } = new URL(url);
        if (pathname === "/") return new Response(dashboard);
        told.push(pathname);
        return new Response(null, { status: 204 });
      },
    });

  beforeAll(async () => {
    pages = serve();
    otherPages = serve();
    const { origin } = pages.url;
    // Nothing is to put right what the tests break.
    world = await createAgentWorld({
      env: { ALLOWED_ORIGINS: origin, RECONCILE_SECONDS: "86400", LOG_LEVEL: "debug" },
    });
    place = world.api.url + world.place;
    browser = await launchBrowser();
    page = await open(origin);
  }, 120_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await world?.end();
    await pages?.stop(true);
    await otherPages?.stop(true);
  });

  async function open(origin: string): Promise<Page> {
    const opened = await browser.newPage(WINDOW);
    await opened.goto(origin);
    await opened.waitFor(`location.origin === "${origin}" && typeof start === "function"`);
    return opened;
  }

  const textOf = (id: string) => `document.querySelector("#${id}").textContent`;

  test("drives an agent, whose question a person answers", async () => {
    session = String(await page.evaluate(`start("${place}", "${API_TOKEN}")`));
    await page.evaluate(`prompt("ask edit a.txt\\ntext all done")`);
    await page.waitFor(`document.querySelectorAll("#questions button").length === 3`);
    if (shots) await page.screenshot(join(shots, "dashboard-question.png"));
    await page.evaluate(`[...document.querySelectorAll("button")].find((b) => b.textContent === "Allow once").click()`);
    await page.waitFor(`${textOf("said")}.endsWith("all done")`);
    expect(await page.evaluate(textOf("said"))).toBe("[selected once]all done");
  }, 60_000);

  test("has a terminal", async () => {
    await page.evaluate(`openTerminal("echo $((40 + 2))ok\\n").then((socket) => (window.socket = socket), () => {})`);
    await page.waitFor(`${textOf("terminal")}.includes("42ok")`);
    expect(await page.evaluate("socket.protocol")).toBe("agentpod");
    if (shots) await page.screenshot(join(shots, "dashboard.png"));
    await page.evaluate("socket.close()");
  }, 60_000);

  test("sees every event once, though the gateway is killed on the way", async () => {
    await page.evaluate(`prompt("say 2000 5")`);
    await page.waitFor("seen.length > 30");
    const gateway = (await systemTable().scan()).find(
      ({ command }) => command.includes(world.projectId) && command.includes("acp-gateway"),
    );
    process.kill(gateway?.pid ?? 0, "SIGKILL");
    await page.waitFor("source.readyState === EventSource.CLOSED");
    await world.change("start");
    await page.evaluate(`prompt("text back again")`);
    await page.waitFor(`${textOf("said")}.endsWith("back again")`);
    const types = ["agent_message_chunk", "permission_requested", "prompt_finished"];
    const all: number[] = [];
    for await (const event of world.client.events(session, { until: "idle" })) {
      if (types.includes(event.type)) all.push(event.seq);
    }
    await page.waitFor(`seen.at(-1) === ${all.at(-1)}`);
    expect(await page.evaluate("seen")).toEqual(all);
    expect(await page.evaluate("problems")).toEqual([]);
  }, 120_000);

  test("reads and changes files, and can read why it is refused", async () => {
    const file = `${place}/v1/fs/notes.txt`;
    const send = (init: string) =>
      page.evaluate(`api("${file}", ${init}).then(async (answer) => ({
        status: answer.status, text: await answer.text(), headers: Object.fromEntries(answer.headers) }))`);
    const made = await send(`{ method: "PUT", body: "one", headers: { "if-none-match": "*" } }`);
    expect(made).toMatchObject({ status: 201, headers: { location: `${world.place}/v1/fs/notes.txt` } });
    const { headers } = (await send("{}")) as { headers: Record<string, string> };
    expect(headers["content-disposition"]).toContain("notes.txt");
    const put = (tag: string) =>
      send(`{ method: "PUT", body: "two", headers: { "if-match": ${JSON.stringify(tag)} } }`);
    expect(await put(headers["etag"] ?? "")).toMatchObject({ status: 200 });
    const refused = await put(headers["etag"] ?? "");
    expect(refused).toMatchObject({ status: 412, headers: { "x-request-id": expect.any(String) } });
    expect(refused).toMatchObject({ text: expect.stringContaining("precondition_failed") });
    for (const name of ["if-modified-since", "if-unmodified-since", "cache-control", "range", "last-event-id"]) {
      const value = name.startsWith("if-") ? new Date().toUTCString() : name === "range" ? "bytes=0-1" : "0";
      expect(await send(`{ headers: { "${name}": "${value}" } }`)).toMatchObject({ status: expect.any(Number) });
    }
    expect(await send(`{ method: "DELETE" }`)).toMatchObject({ status: 204 });
  }, 60_000);

  test("shows an image by its URL, and opens a page of the sandbox without it running", async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="5" height="5"/>`;
    expect((await world.ask("/v1/fs/dot.svg", { method: "PUT", body: svg })).status).toBe(201);
    const shown = `ticketed("${place}/v1/fs/dot.svg").then((url) => new Promise((resolve, reject) => {
      const image = Object.assign(new Image(), { crossOrigin: "anonymous", onerror: reject, onload: () => resolve(image.width) });
      image.src = url; }))`;
    expect(await page.evaluate(shown)).toBe(5);
    const script = `<script>fetch("${pages.url.origin}/ran", { mode: "no-cors" })</script>`;
    expect((await world.ask("/v1/fs/page.html", { method: "PUT", body: script })).status).toBe(201);
    const ticket = `ticketed("${place}/v1/fs/page.html")`;
    const opened = `${ticket}.then((url) => { window.tab = open(url); return true; })`;
    const reads = () => world.api.output().match(/"GET","route":"[^"]+\/agent\/\{path\}","status":200/g)?.length ?? 0;
    const before = reads();
    await page.evaluate(opened);
    await until("the tab has been answered", () => (reads() > before ? true : undefined));
    const again = await fetch(String(await page.evaluate(`${ticket}.then(String)`)));
    expect(again.headers.get("content-disposition")).toStartWith("attachment");
    expect(again.headers.get("content-security-policy")).toContain("sandbox");
    expect(told).not.toContain("/ran");
  }, 60_000);

  test("is kept out when it is of another origin", async () => {
    const other = await open(otherPages.url.origin);
    const failure = `start("${place}", "${API_TOKEN}").then(() => "in", (error) => error.name)`;
    expect(await other.evaluate(failure)).toBe("TypeError");
    const events = `new Promise((resolve) => {
      const events = new EventSource("${world.api.url}/api/projects/${world.projectId}/events");
      events.onopen = () => resolve("open");
      events.onerror = () => resolve("refused"); })`;
    expect([await other.evaluate(events), await page.evaluate(events)]).toEqual(["refused", "refused"]);
    const sessions = await world.client.sessions();
    expect(JSON.stringify(sessions)).toContain(session);
  }, 60_000);

  test("follows the project itself, by a ticket, too", async () => {
    const first = `ticketed("${world.api.url}/api/projects/${world.projectId}/events").then((url) => new Promise((resolve) => {
      const events = new EventSource(url);
      events.onerror = () => resolve("refused");
      events.onopen = () => { events.close(); resolve("open"); }; }))`;
    expect(await page.evaluate(first)).toBe("open");
    expect(world.api.output()).not.toContain(API_TOKEN);
    expect(world.api.output()).not.toContain("ticket=");
  }, 60_000);
});
