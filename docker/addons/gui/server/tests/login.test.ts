import { describe, expect, test } from "bun:test";
import { PASSWORD, startWorld } from "./support/world.ts";

describe("the login", () => {
  test("the desktop leads to the login, and nothing else is told", async () => {
    await using world = await startWorld();
    const answer = await world.get("/");
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login"]);
    for (const path of ["/desktop.html", "/login/desktop.html", "/../src/index.ts", "/%2e%2e/x"]) {
      expect((await world.get(path)).status).toBe(401);
    }
  });

  test("the login page and its style need no session, and carry a strict policy", async () => {
    await using world = await startWorld();
    const page = await world.get("/login");
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('type="password"');
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect((await world.get("/login/style.css")).headers.get("content-type")).toBe("text/css; charset=utf-8");
  });

  test("the password gives a cookie that scripts and other sites do not get", async () => {
    await using world = await startWorld();
    const answer = await world.logIn(PASSWORD);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^agentpod-gui-\d+=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    const desktop = await world.get("/", { headers: { cookie: cookie.split(";")[0] ?? "" } });
    expect(desktop.status).toBe(200);
    expect(await desktop.text()).toContain("/login/desktop.js");
  });

  test("behind https the cookie is for https alone", async () => {
    await using world = await startWorld();
    const answer = await world.logIn(PASSWORD, { origin: world.origin, "x-forwarded-proto": "https" });
    expect(answer.headers.get("set-cookie")).toContain("; Secure");
  });

  test("anything but the password is refused without a cookie", async () => {
    await using world = await startWorld();
    for (const wrong of ["", "x", PASSWORD.slice(1), `${PASSWORD} `, PASSWORD.toUpperCase(), "x".repeat(10_000)]) {
      const answer = await world.logIn(wrong);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("set-cookie")).toBeNull();
      const text = await answer.text();
      expect(text).toContain("This is not the password.");
      expect(text).not.toContain(PASSWORD);
    }
  });

  test("a login from another site is refused even with the password", async () => {
    await using world = await startWorld();
    for (const headers of [{}, { origin: "null" }, { origin: "http://example.invalid" }, { origin: "nonsense" }]) {
      const answer = await world.logIn(PASSWORD, headers);
      expect(answer.status).toBe(403);
      expect(answer.headers.get("set-cookie")).toBeNull();
    }
  });

  test("after ten wrong passwords a minute has to pass, also for the right one", async () => {
    await using world = await startWorld();
    for (let tries = 0; tries < 10; tries++) expect((await world.logIn("wrong")).status).toBe(401);
    const refused = await world.logIn(PASSWORD);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    world.clock.move(61);
    expect((await world.logIn(PASSWORD)).status).toBe(303);
  });

  test("a session ends after twelve hours without use", async () => {
    await using world = await startWorld();
    const headers = { cookie: await world.cookie() };
    world.clock.move(11 * 3600);
    expect((await world.get("/", { headers })).status).toBe(200);
    world.clock.move(11 * 3600);
    expect((await world.get("/", { headers })).status).toBe(200);
    world.clock.move(12 * 3600);
    expect((await world.get("/", { headers })).status).toBe(303);
  });

  test("a session ends with the logout, which other sites cannot ask for", async () => {
    await using world = await startWorld();
    const cookie = await world.cookie();
    expect((await world.get("/logout", { method: "POST", headers: { cookie } })).status).toBe(403);
    expect((await world.get("/", { headers: { cookie } })).status).toBe(200);
    const answer = await world.get("/logout", { method: "POST", headers: { cookie, origin: world.origin } });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login"]);
    expect(answer.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await world.get("/", { headers: { cookie } })).status).toBe(303);
  });

  test("an invented cookie opens nothing", async () => {
    await using world = await startWorld();
    const name = (await world.cookie()).split("=")[0] ?? "";
    for (const cookie of [`${name}=`, `${name}=${"A".repeat(43)}`, `${name}=__proto__`, ";;=;", `${name}=%`]) {
      expect((await world.get("/", { headers: { cookie } })).status).toBe(303);
    }
  });

  test("other methods and unknown pages say so", async () => {
    await using world = await startWorld();
    const put = await world.get("/login", { method: "PUT" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    expect((await world.get("/logout")).status).toBe(405);
    expect((await world.get("/nothing", { headers: { cookie: await world.cookie() } })).status).toBe(404);
    expect((await world.get("/websockify", { headers: { cookie: await world.cookie() } })).status).toBe(403);
  });

  test("a body larger than a password is refused", async () => {
    await using world = await startWorld();
    expect((await world.logIn("x".repeat(100_000))).status).toBe(413);
  });

  test("health tells whether the screen takes connections", async () => {
    await using world = await startWorld();
    expect(await (await world.get("/health")).json()).toEqual({ status: "ok" });
    world.screen.close();
    const answer = await world.get("/health");
    expect([answer.status, await answer.json()]).toEqual([503, { status: "starting" }]);
  });
});
