/** The options of `docker run` that Coolify translates; it drops every other one without a word. */
const translated = new Set([
  "--cap-add",
  "--cap-drop",
  "--security-opt",
  "--sysctl",
  "--device",
  "--ulimit",
  "--dns",
  "--shm-size",
  "--init",
  "--privileged",
  "--ip",
  "--ip6",
  "--gpus",
  "--hostname",
  "--entrypoint",
]);

/** These two are parsed apart; every other value is cut at its first dash. */
const keepsDashes = new Set(["--hostname", "--entrypoint"]);

/** What is wrong with `custom_docker_run_options`; an empty string clears them. */
export function runOptionsProblem(text: string): string | null {
  if (text.length > 2000) return "must have at most 2000 characters";
  if (/[;$`\\<>()|&\n\r\0]/.test(text)) return "must not hold ; $ ` \\ < > ( ) | & or newlines";
  let option = "";
  for (const word of text.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? []) {
    if (!word.startsWith("-")) {
      if (option === "") return "must begin with an option";
      if (word.includes("-") && !keepsDashes.has(option)) return dashes(option);
      continue;
    }
    const [name = "", value = ""] = word.split(/=(.*)/s);
    if (!translated.has(name)) return `must hold only options that Coolify translates: ${[...translated].join(" ")}`;
    if (value.includes("-") && !keepsDashes.has(name)) return dashes(name);
    option = name;
  }
  return null;
}

function dashes(option: string): string {
  return `must not give ${option} a value with a dash, at which Coolify cuts it off`;
}
