export interface TestResult {
  file: string;
  /** The suites' names and the test's, joined by " > ". */
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped, from "[skipped: why]" in one of the names; undefined when none says it. */
  reason: string | undefined;
  /** What it failed with, and its stack; empty unless it failed. */
  failure: string;
}

const tag = /<(\/?)(testsuite|testcase|failure|error|skipped)\b([^>]*?)(\/?)>/g;

/** Reads Bun's JUnit report: only tags matter here, and Bun escapes every < and > that is none. */
export function readReport(xml: string): TestResult[] {
  const suites: string[] = [];
  const results: TestResult[] = [];
  for (const match of xml.matchAll(tag)) {
    const [whole, closing, kind, attributes = "", empty] = match;
    const current = results.at(-1);
    if (kind === "testsuite") {
      if (closing) suites.pop();
      else if (!empty) suites.push(attribute(attributes, "name"));
    } else if (kind === "testcase" && !closing) {
      // The outermost suite is the file.
      const name = [...suites.slice(1), attribute(attributes, "name")].join(" > ");
      const reason = /\[skipped: (.+?)\]/.exec(name)?.[1];
      results.push({ file: attribute(attributes, "file"), name, outcome: "passed", reason, failure: "" });
    } else if (current && !closing) {
      if (kind === "failure" || kind === "error") {
        current.outcome = "failed";
        const start = match.index + whole.length;
        const text = empty ? "" : decoded(xml.slice(start, xml.indexOf("<", start)));
        current.failure ||= text.trim() || attribute(attributes, "message");
      } else if (kind === "skipped") {
        current.outcome = "skipped";
        if (attributes.includes('"TODO"')) current.reason ??= "still to be written";
      }
    }
  }
  return results;
}

function attribute(attributes: string, name: string): string {
  return decoded(new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

function decoded(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp|#\d+);/g, (whole, entity: string) => {
    if (entity.startsWith("#")) return String.fromCodePoint(Number(entity.slice(1)));
    return { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }[entity] ?? whole;
  });
}
