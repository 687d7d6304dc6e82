import type RFB from "@novnc/novnc";

/**
 * Keeps the desktop's clipboard and the browser's the same. Where the browser gives no access to its
 * own (plain http, or not allowed), the text field is the way.
 */
export function shareClipboard(field: HTMLTextAreaElement, connection: () => RFB | undefined) {
  let shared = "";

  function send(text: string): void {
    if (text === shared) return;
    shared = text;
    connection()?.clipboardPasteFrom(text);
  }

  field.addEventListener("input", () => send(field.value));
  window.addEventListener("focus", () => void sendOwn());

  async function sendOwn(): Promise<void> {
    // Only where it was allowed: asking again at every change of the window is a nuisance.
    const name: string = "clipboard-read";
    const permission = await navigator.permissions.query({ name: name as PermissionName }).catch(() => undefined);
    if (permission?.state !== "granted") return;
    const text = await navigator.clipboard.readText().catch(() => "");
    if (text === "") return;
    field.value = text;
    send(text);
  }

  return {
    /** The desktop has a new text in its clipboard. */
    received(text: string): void {
      shared = text;
      field.value = text;
      if (window.isSecureContext) void navigator.clipboard.writeText(text).catch(() => undefined);
    },
  };
}
