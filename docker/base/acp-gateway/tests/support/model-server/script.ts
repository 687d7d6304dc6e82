import type { Json } from "./json.ts";

/** A tool that the agent offers to the model, with the names of its arguments. */
export type Tool = { name: string; parameters: ReadonlySet<string>; freeform: boolean };
/** Who spoke last, and what; `tool` is the result of a call. */
export type Conversation = { last: { by: "user" | "tool"; text: string }; tools: readonly Tool[] };
export type ToolCall = { name: string; arguments: Json } | { name: string; input: string };
/** What the model says, in chunks, and the one tool it calls. */
export type Reply = { chunks: string[]; call?: ToolCall };

const COMMAND = /^\s*(say|write|run)\s+\S/;

/**
 * The model's mind. The last line of the user's text that is a command decides:
 * `say N` answers in N chunks, `write PATH TEXT` calls the tool that writes files, `run COMMAND`
 * the one for shell commands. After a call's result it says `done: ` and the start of it.
 */
export function replyTo({ last, tools }: Conversation): Reply {
  if (last.by === "tool") return { chunks: ["done: ", last.text.trim().slice(0, 80) || "ok"] };
  const command = last.text.split("\n").findLast((line) => COMMAND.test(line));
  const [, verb, rest = ""] = /^\s*(\w+)\s+(.*)$/.exec(command ?? "") ?? [];
  if (verb === "say") return { chunks: Array.from({ length: Number(rest) }, (_, n) => `w${n} `) };
  const call = verb === "write" ? writeCall(tools, rest) : verb === "run" ? runCall(tools, rest) : undefined;
  if (call) return { chunks: ["I will ", `${verb} it.`], call };
  return { chunks: ["Hello ", "from ", "the ", "model."] };
}

function writeCall(tools: readonly Tool[], rest: string): ToolCall | undefined {
  const path = rest.split(" ", 1)[0] ?? "";
  const text = rest.slice(path.length + 1);
  const writer = find(tools, ["write", "Write", "write_file", "WriteFile", "create", "create_file"]);
  if (writer) {
    const pathName = ["filePath", "file_path", "path"].find((name) => writer.parameters.has(name)) ?? "path";
    const textName = ["content", "file_text", "contents"].find((name) => writer.parameters.has(name)) ?? "content";
    return { name: writer.name, arguments: { [pathName]: path, [textName]: text } };
  }
  const patcher = find(tools, ["apply_patch"]);
  if (patcher) {
    const patch = `*** Begin Patch\n*** Add File: ${path}\n+${text}\n*** End Patch\n`;
    if (patcher.freeform) return { name: patcher.name, input: patch };
    return { name: patcher.name, arguments: { [patcher.parameters.has("patchText") ? "patchText" : "input"]: patch } };
  }
  return runCall(tools, `printf '%s\\n' '${text}' > '${path}'`, "the file is to be written");
}

/** With `reason`, tools that can ask to leave their sandbox do, so that a person is asked. */
function runCall(tools: readonly Tool[], command: string, reason?: string): ToolCall | undefined {
  const shell = find(tools, ["bash", "Bash", "run_shell_command", "exec_command", "shell_command", "shell", "exec"]);
  if (!shell) return undefined;
  if (shell.freeform) {
    return { name: shell.name, input: `text((await tools.exec_command({ cmd: ${JSON.stringify(command)} })).output);` };
  }
  const has = (name: string) => shell.parameters.has(name);
  return {
    name: shell.name,
    arguments: {
      ...(has("cmd") ? { cmd: command } : { command: shell.name === "shell" ? ["bash", "-lc", command] : command }),
      ...(has("description") ? { description: "As the script says" } : {}),
      ...(has("is_background") ? { is_background: false } : {}),
      ...(reason && has("sandbox_permissions") ? { sandbox_permissions: "require_escalated" } : {}),
      ...(reason && has("justification") ? { justification: reason } : {}),
    },
  };
}

function find(tools: readonly Tool[], names: readonly string[]): Tool | undefined {
  for (const name of names) {
    const tool = tools.find((candidate) => candidate.name === name);
    if (tool) return tool;
  }
  return undefined;
}
