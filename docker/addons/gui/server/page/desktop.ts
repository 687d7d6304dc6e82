import RFB from "@novnc/novnc";
import { shareClipboard } from "./clipboard.ts";

const RECONNECT_MS_MIN = 500;
const RECONNECT_MS_MAX = 10_000;

const sizes = ["remote", "scale", "off"] as const;
type Size = (typeof sizes)[number];

let size: Size = isSize(localStorage.getItem("size")) ?? "remote";
let current: RFB | undefined;
let reconnectMs = RECONNECT_MS_MIN;

const status = find("#status", HTMLElement);
const sizeChoice = find("#size", HTMLSelectElement);
const clipboard = shareClipboard(find("#clipboard", HTMLTextAreaElement), () => current);

sizeChoice.value = size;
sizeChoice.addEventListener("change", () => {
  size = isSize(sizeChoice.value) ?? size;
  localStorage.setItem("size", size);
  if (current) applySize(current);
});
find("#fullscreen", HTMLButtonElement).addEventListener("click", () => {
  void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
});
find("#screen", HTMLElement).addEventListener("pointerdown", () => {
  find("#tools", HTMLDetailsElement).open = false;
});

connect();

function connect(): void {
  const url = new URL("/websockify", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const rfb = new RFB(find("#screen", HTMLElement), url.href, { shared: true });
  rfb.background = "transparent";
  rfb.focusOnClick = true;
  applySize(rfb);
  rfb.addEventListener("connect", () => {
    current = rfb;
    reconnectMs = RECONNECT_MS_MIN;
    show("connected", "");
    rfb.focus();
  });
  rfb.addEventListener("clipboard", (event) => clipboard.received(event.detail.text));
  rfb.addEventListener("disconnect", () => {
    current = undefined;
    void reconnect();
  });
}

/** The desktop is started again when it ends, so this never gives up; but without a session it goes to the login. */
async function reconnect(): Promise<void> {
  show("connecting", "The desktop is not there; trying again…");
  await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  reconnectMs = Math.min(reconnectMs * 2, RECONNECT_MS_MAX);
  const page = await fetch("/", { redirect: "manual" }).catch(() => undefined);
  if (page?.type === "opaqueredirect") location.assign("/login");
  else connect();
}

function applySize(rfb: RFB): void {
  rfb.resizeSession = size === "remote";
  // Also where the desktop refuses to follow the window.
  rfb.scaleViewport = size !== "off";
  rfb.clipViewport = size === "off";
  rfb.dragViewport = false;
}

function show(state: "connecting" | "connected", text: string): void {
  document.documentElement.dataset["state"] = state;
  status.textContent = text;
}

function isSize(text: string | null): Size | undefined {
  return sizes.find((known) => known === text);
}

function find<Found extends Element>(selector: string, kind: new () => Found): Found {
  const found = document.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${selector}`);
}
