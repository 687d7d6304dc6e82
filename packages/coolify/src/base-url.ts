import { unsafeValue } from "./errors.ts";

/**
 * The instance's own address, such as `https://coolify.example.com`, out of what users paste: with or without a
 * trailing slash, `/api` or `/api/v1`.
 */
export function instanceUrl(pasted: string): string {
  const text = pasted.trim();
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw wrong("is no http(s) address; expected one such as https://coolify.example.com");
  }
  if (url.username !== "" || url.password !== "") throw wrong("must not hold a user name or password");
  if (url.search !== "" || url.hash !== "") throw wrong("must not hold a query or fragment");
  return url.origin + url.pathname.replace(/\/+$/, "").replace(/\/api(\/v1)?$/, "");
}

function wrong(message: string) {
  return unsafeValue([{ path: "baseUrl", message: `The address of Coolify ${message}.` }]);
}
