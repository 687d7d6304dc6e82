/** Only what is in quotes may hold characters that a shell would act on; `$` and backticks nowhere. */
export const RUN_OPTIONS = /^(?:[^;&|<>()$`\\"'\n]|"[^"$`\\]*"|'[^'$`\\]*')+$/;

/**
 * Coolify cuts an option's value at its first dash, so `--security-opt no-new-privileges` asks docker for `no`.
 * Returns docker's refusal, or null.
 */
export function whyRunOptionsFail(options: string | null): string | null {
  const security = options?.match(/--security-opt[= ]+([^\s-]+)-/)?.[1];
  return security === undefined ? null : `Invalid security-opt: "${security}"`;
}
