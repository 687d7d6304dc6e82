/** How a registry wants to be asked, as its `WWW-Authenticate` says. */
export type Challenge =
  | { scheme: "basic" }
  | { scheme: "bearer"; realm: string; service: string | null; scope: string | null; error: string | null };

const PARAMETER = /^\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/;
const SCHEME = /^[\s,]*([A-Za-z][A-Za-z0-9_-]*)(?:\s+|,|$)/;
const LENGTH_MAX = 4096;

/** The best challenge among those offered: a bearer token before a password; null when there is none it knows. */
export function readChallenge(header: string): Challenge | null {
  const offered = parseAll(header.slice(0, LENGTH_MAX));
  const bearer = offered.find(({ scheme }) => scheme === "bearer")?.parameters;
  const realm = bearer?.get("realm");
  if (bearer !== undefined && realm !== undefined) {
    const parameter = (name: string) => bearer.get(name) ?? null;
    return {
      scheme: "bearer",
      realm,
      service: parameter("service"),
      scope: parameter("scope"),
      error: parameter("error"),
    };
  }
  return offered.some(({ scheme }) => scheme === "basic") ? { scheme: "basic" } : null;
}

/** Several challenges may share a header, split by the same commas as the parameters of one. */
function parseAll(header: string): { scheme: string; parameters: Map<string, string> }[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header;
  for (;;) {
    const scheme = SCHEME.exec(rest);
    if (scheme === null) return found;
    rest = rest.slice(scheme[0].length);
    const parameters = new Map<string, string>();
    for (let pair = PARAMETER.exec(rest); pair !== null; pair = PARAMETER.exec(rest)) {
      const [all, name = "", quoted, bare = ""] = pair;
      parameters.set(name.toLowerCase(), quoted === undefined ? bare : quoted.replace(/\\(.)/g, "$1"));
      rest = rest.slice(all.length);
    }
    found.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters });
  }
}
