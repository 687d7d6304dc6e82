import { z } from "zod";
import type { Devtools, Params } from "./devtools.ts";
import { decodePng, type Image } from "./png.ts";
import { until } from "./until.ts";

const targetSchema = z.object({ targetId: z.string() });
const sessionSchema = z.object({ sessionId: z.string() });
const screenshotSchema = z.object({ data: z.string() });
const evaluatedSchema = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z.object({ text: z.string() }).optional(),
});

const MODIFIERS = { Alt: 1, Control: 2, Shift: 8 } as const;

export type Modifier = keyof typeof MODIFIERS;
export type MouseButton = "left" | "middle" | "right";

export interface Page {
  goto: (url: string) => Promise<void>;
  /** The value of an expression in the page, as JSON carries it. */
  evaluate: (expression: string) => Promise<unknown>;
  /** Waits until an expression in the page, or what it promises, is true. */
  waitFor: (expression: string) => Promise<void>;
  click: (x: number, y: number, options?: { button?: MouseButton; count?: number }) => Promise<void>;
  /** Presses the keys of a text one by one. */
  type: (text: string) => Promise<void>;
  /** @param key a name of KeyboardEvent.key, such as Enter or a letter */
  press: (key: string, modifiers?: readonly Modifier[]) => Promise<void>;
  /** What is to be seen now; with a path it is also written there. */
  screenshot: (path?: string) => Promise<Image>;
  /** Lets the pages of an origin use the clipboard without asking. */
  allowClipboard: (origin: string) => Promise<void>;
}

export async function openPage(devtools: Devtools, size: { width: number; height: number }): Promise<Page> {
  const { targetId } = targetSchema.parse(await devtools.call("Target.createTarget", { url: "about:blank" }));
  const attached = await devtools.call("Target.attachToTarget", { targetId, flatten: true });
  const { sessionId } = sessionSchema.parse(attached);
  const call = (method: string, params: Params = {}) => devtools.call(method, params, sessionId);
  await call("Page.enable");
  await call("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: false });
  await call("Emulation.setFocusEmulationEnabled", { enabled: true });

  async function evaluate(expression: string): Promise<unknown> {
    const params = { expression, returnByValue: true, awaitPromise: true, userGesture: true };
    const { result, exceptionDetails } = evaluatedSchema.parse(await call("Runtime.evaluate", params));
    if (exceptionDetails) throw new Error(`${exceptionDetails.text} in: ${expression}`);
    return result.value;
  }

  async function key(type: "keyDown" | "keyUp", name: string, modifiers: number): Promise<void> {
    const text = name === "Enter" ? "\r" : name;
    const typed = type === "keyDown" && text.length === 1 && (modifiers & ~MODIFIERS.Shift) === 0;
    const code = name in MODIFIERS ? `${name}Left` : codeOf(name);
    await call("Input.dispatchKeyEvent", { type, key: name, code, modifiers, ...(typed ? { text } : {}) });
  }

  async function press(name: string, modifiers: readonly Modifier[] = []): Promise<void> {
    let held = 0;
    for (const modifier of modifiers) {
      held |= MODIFIERS[modifier];
      await key("keyDown", modifier, held);
    }
    await key("keyDown", name, held);
    await key("keyUp", name, held);
    for (const modifier of modifiers.toReversed()) {
      held &= ~MODIFIERS[modifier];
      await key("keyUp", modifier, held);
    }
  }

  return {
    async goto(url) {
      await call("Page.navigate", { url });
    },
    evaluate,
    waitFor(expression) {
      // A page that is just being left or loaded may throw, or be gone before it answers.
      const careful = `(async () => { try { return Boolean(await (${expression})); } catch { return false; } })()`;
      return until(expression, async () => (await evaluate(careful).catch(() => false)) === true);
    },
    async click(x, y, { button = "left", count = 1 } = {}) {
      await call("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
      for (let clickCount = 1; clickCount <= count; clickCount++) {
        await call("Input.dispatchMouseEvent", { type: "mousePressed", x, y, button, clickCount });
        await call("Input.dispatchMouseEvent", { type: "mouseReleased", x, y, button, clickCount });
      }
    },
    async type(text) {
      for (const letter of text) await press(letter);
    },
    press,
    async screenshot(path) {
      const { data } = screenshotSchema.parse(await call("Page.captureScreenshot", { format: "png" }));
      const file = Buffer.from(data, "base64");
      if (path) await Bun.write(path, file);
      return decodePng(file);
    },
    async allowClipboard(origin) {
      const permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"];
      await devtools.call("Browser.grantPermissions", { origin, permissions });
    },
  };
}

/** The key on a keyboard, where the tests need to say it. */
function codeOf(name: string): string {
  if (/^[a-z]$/i.test(name)) return `Key${name.toUpperCase()}`;
  if (/^\d$/.test(name)) return `Digit${name}`;
  if (name === "`") return "Backquote";
  return name.length > 1 ? name : "";
}
