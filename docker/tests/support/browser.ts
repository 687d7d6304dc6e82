import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDevtools } from "./devtools.ts";
import { openPage, type Page } from "./page.ts";

const executable = Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome");

/** Why no browser can be used; undefined when one is installed. */
export const browserMissing = executable ? undefined : "no Chromium is installed: apt-get install chromium";

export interface Browser extends AsyncDisposable {
  /** A page of its own, with nothing in it yet. */
  newPage: (size: { width: number; height: number }) => Promise<Page>;
}

/** A headless Chromium with a profile of its own; both are gone with the returned object. */
export async function launchBrowser(): Promise<Browser> {
  if (!executable) throw new Error(browserMissing);
  const profile = await mkdtemp(join(tmpdir(), "agentpod-browser-"));
  const child = Bun.spawn(
    [
      executable,
      "--headless=new",
      // Its own sandbox does not run as root, as which CI does.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  async function end() {
    child.kill("SIGKILL");
    await child.exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  try {
    const devtools = await connectDevtools(await addressIn(child.stderr));
    return {
      newPage: (size) => openPage(devtools, size),
      async [Symbol.asyncDispose]() {
        devtools.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Reads what the browser says until it says where it listens, and goes on reading so that it never waits. */
async function addressIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  void (async () => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of stderr) {
      if (text.length > 1024 * 1024) continue;
      text += decoder.decode(chunk, { stream: true });
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address) resolve(address);
    }
    reject(new Error(`the browser ended: ${text.slice(-2000)}`));
  })();
  return promise;
}
