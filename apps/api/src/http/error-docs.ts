import { ProblemCode, ViolationCode } from "@agentpod/types";
import { PROBLEM_HELP, VIOLATION_HELP } from "./problem-help.ts";
import { PROBLEMS } from "./problem.ts";

/** docs/api-errors.md. */
export function errorsAsMarkdown(): string {
  const problems = ProblemCode.options.map((code) => {
    const { status } = PROBLEMS[code];
    const { means, fix } = PROBLEM_HELP[code];
    return `| <a id="${code}"></a>\`${code}\` | ${status} | ${means} | ${fix} |`;
  });
  const violations = ViolationCode.options.map((code) => `| \`${code}\` | ${VIOLATION_HELP[code]} |`);
  return [
    INTRODUCTION,
    "## Codes",
    ["| Code | Status | Means | What to do |", "| --- | --- | --- | --- |", ...problems].join("\n"),
    "## Codes inside `errors`",
    ["| Code | Means |", "| --- | --- |", ...violations].join("\n"),
    "",
  ]
    .join("\n\n")
    .trimEnd()
    .concat("\n");
}

const INTRODUCTION = `# Errors of the API

Every error is \`application/problem+json\` (RFC 9457):

\`\`\`json
{
  "type": "/docs/errors#invalid_configuration",
  "title": "Invalid configuration",
  "status": 422,
  "detail": "Flavor 'pyton' not found",
  "code": "invalid_configuration",
  "requestId": "5f0c9a52-7d31-12",
  "error": "Flavor 'pyton' not found",
  "errors": [
    {
      "path": "flavorId",
      "code": "flavor_not_found",
      "message": "Flavor 'pyton' not found",
      "fix": "Did you mean 'python'? Known ids: js, python, go, rust, fullstack, polyglot"
    }
  ]
}
\`\`\`

- \`code\` is for programs; the list is closed and a code keeps its meaning. \`detail\` and \`message\` are for people and may change.
- \`errors\` holds all findings at once: where (\`path\`), what (\`code\`, \`message\`) and the smallest change that fixes it (\`fix\`).
- \`error\` is for clients older than this form: a 404's title, else the detail.
- \`requestId\` is also the \`X-Request-Id\` header; a request that brings one keeps it.`;
