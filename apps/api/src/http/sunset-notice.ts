import { z } from "@hono/zod-openapi";

const NOTICE_DAYS = 30;

/** The headers that tell a program, not only a reader of the docs, that container tiers go away. */
export function sunsetNotice(sunsetAt: Date): Record<keyof typeof described, string> {
  const deprecatedAt = new Date(sunsetAt);
  deprecatedAt.setUTCDate(deprecatedAt.getUTCDate() - NOTICE_DAYS);
  return {
    deprecation: `@${Math.floor(deprecatedAt.getTime() / 1000)}`,
    sunset: sunsetAt.toUTCString(),
    link: '</docs/errors#container_tiers_sunset>; rel="deprecation", </api/resource-tiers>; rel="successor-version"',
  };
}

const described = {
  deprecation: z.string().openapi({ description: "Since when it is deprecated (RFC 9745)" }),
  sunset: z.string().openapi({ description: "When it will be gone (RFC 8594)" }),
  link: z.string(),
};

/** The same, as OpenAPI describes it. */
export const SunsetNotice = z.object(described);
