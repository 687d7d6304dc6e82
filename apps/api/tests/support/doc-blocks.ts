/** A fenced block of shell commands in a Markdown page. */
export interface DocBlock {
  /** Headings above it, outermost first, without the page's title. */
  section: string;
  /** Of its first line in the page. */
  line: number;
  script: string;
  /** Why no test can run it; undefined for the others. */
  notRun: string | undefined;
  /** The `text` block right behind it: what it prints. */
  expected: string | undefined;
}

const fence = /^```(.*)$/;

/** All `sh` blocks of a page, in order. */
export function docBlocks(markdown: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  let section = "";
  /** The last block, as long as nothing but blank lines followed it. */
  let behind: DocBlock | undefined;
  const lines = markdown.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    section = /^## (.*)$/.exec(line)?.[1] ?? section;
    const info = fence.exec(line)?.[1]?.trim();
    if (info === undefined) {
      if (line !== "") behind = undefined;
      continue;
    }
    const end = lines.findIndex((candidate, at) => at > index && candidate === "```");
    if (end < 0) throw new Error(`the block of line ${index + 1} has no end`);
    const text = lines.slice(index + 1, end).join("\n");
    const sh = /^sh(?: not-run: (.+))?$/.exec(info);
    if (sh) {
      behind = { section, line: index + 2, script: text, notRun: sh[1], expected: undefined };
      blocks.push(behind);
    } else {
      if (info === "text" && behind?.notRun === undefined && behind !== undefined) behind.expected = text;
      else if (!knownInfos.has(info)) throw new Error(`line ${index + 1}: a block of "${info}" is not known`);
      behind = undefined;
    }
    index = end;
  }
  return blocks;
}

/** What pages show besides commands and what they print. */
const knownInfos = new Set(["ini", "json", "yaml", "text"]);

/** What differs from run to run, by the name that stands for it when two texts are compared. */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>"],
  [/\b\d{8}T\d{6,9}Z/g, "<stamp>"],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<id>"],
  [/\b[0-9a-f]{16}\b/g, "<key>"],
  [/127\.0\.0\.1:\d+/g, "<address>"],
  [/ +/g, " "],
  [/ $/gm, ""],
];

/**
 * Whether `printed` is what the page shows. Times, ids and addresses only need their form; `…` stands for
 * any text within a line, and alone on a line for any lines.
 */
export function printsAs(expected: string, printed: string): boolean {
  const pattern = plain(expected)
    .split("\n")
    .map((line) =>
      line.trim() === "…"
        ? "(?:.*\n)*?"
        : `${line
            .split("…")
            .map((part) => RegExp.escape(part))
            .join(".*")}\n`,
    )
    .join("");
  return new RegExp(`^${pattern}$`).test(`${plain(printed).trimEnd()}\n`);
}

function plain(text: string): string {
  return varying.reduce((rest, [pattern, name]) => rest.replaceAll(pattern, name), text);
}
