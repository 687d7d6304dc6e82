import { RuntimeError } from "../runtime.ts";

const TIMEOUT_MS = 30_000;
const DISCOVERY = "/info/refs?service=git-upload-pack";

/** What git says when it met a redirect that it was told not to follow. */
export const isRedirectRefusal = (stderr: string): boolean => /returned error: 30[12378]\b/.test(stderr);

/**
 * Where a repository has moved to, as its server says. Git itself must not follow: it would go
 * anywhere, also to addresses that a source may not have.
 * @throws RuntimeError `source_clone_failed`
 */
export async function findNewHome(url: URL, signal: AbortSignal): Promise<URL> {
  const response = await fetch(discoveryOf(url), {
    redirect: "manual",
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }).catch((error: unknown) => {
    throw new RuntimeError("source_clone_failed", "the repository's server stopped answering", { cause: error });
  });
  await response.body?.cancel();
  const location = response.headers.get("location");
  const target = location === null ? null : URL.parse(location, url.href);
  const isDowngrade = url.protocol === "https:" && target?.protocol !== "https:";
  if (
    !target ||
    isDowngrade ||
    !/^https?:$/.test(target.protocol) ||
    target.username !== "" ||
    !target.href.endsWith(DISCOVERY)
  ) {
    throw new RuntimeError(
      "source_clone_failed",
      "the repository's server redirects to something that is not a repository; use the repository's present URL",
    );
  }
  return new URL(target.href.slice(0, -DISCOVERY.length));
}

function discoveryOf(url: URL): string {
  return `${url.href.replace(/\/+$/, "")}${DISCOVERY}`;
}
