import { ProjectUrls, ResolveImageOptions, ValidationResult, Violation } from "@agentpod/types";
import { ContainerAddonRecord, ContainerFlavorRecord, ResourceTierRecord } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../http/principal.ts";
import { bodyProblems, json, jsonBody, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import { IMAGE_STATES } from "../services/image-availability.ts";
import type { Images } from "../services/images.ts";

const tags = ["images"];
const read = requireScope("catalog:read");

const slug = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "use at most 40 lower-case letters, digits and dashes")
  .optional()
  .openapi({ description: "What the URLs are made for; `project` without it" });

const ResolveImageRequest = z.strictObject({ ...ResolveImageOptions.shape, slug }).meta({ id: "ResolveImageRequest" });

const addonIds = z
  .union([z.string(), z.array(z.string())])
  .transform((sent) => [sent].flat().flatMap((ids) => ids.split(",").filter((id) => id !== "")))
  .pipe(z.array(z.string().max(100)).max(50))
  .optional()
  .openapi({ type: "array", items: { type: "string" }, description: "`a,b`, or the parameter several times" });

const ResolveImageQuery = z.strictObject({ ...ResolveImageOptions.shape, slug, addonIds });

const ImageAvailability = z
  .object({ state: z.enum(IMAGE_STATES), digest: z.string().nullable(), compressedBytes: z.int().nullable() })
  .meta({ id: "ImageAvailability" });

const ResolvedImage = z
  .object({
    imageName: z.string(),
    imageTag: z.string(),
    imageRef: z.string(),
    flavor: ContainerFlavorRecord,
    addons: z.array(ContainerAddonRecord),
    resourceTier: ResourceTierRecord,
    resourceLimits: z.object({ limits_memory: z.string(), limits_cpus: z.string() }),
    containerLimits: z.object({ memoryBytes: z.int(), nanoCpus: z.int(), storageBytes: z.int() }),
    exposedPorts: z.array(z.int()),
    portsExposes: z.string(),
    requiresGpu: z.boolean(),
    warnings: z.array(z.string()),
    urls: ProjectUrls,
    image: ImageAvailability,
  })
  .meta({ id: "ResolvedImage" });

const ImageMatrix = z
  .object({
    rows: z.array(
      z.object({
        flavorId: z.string(),
        addonIds: z.array(z.string()),
        valid: z.boolean(),
        violations: z.array(Violation),
        imageRef: z.string().nullable(),
        image: ImageAvailability.nullable(),
      }),
    ),
    /** Whether there are more combinations than shown. */
    truncated: z.boolean(),
  })
  .meta({ id: "ImageMatrix" });

const resolve = createRoute({
  operationId: "resolveImage",
  summary: "The image, limits, ports and URLs a configuration stands for; makes nothing",
  tags,
  security: read,
  method: "post",
  path: "/resolve",
  request: { body: jsonBody(ResolveImageRequest) },
  responses: {
    200: json(ResolvedImage, "The resolution"),
    ...problems(...bodyProblems, "invalid_configuration"),
  },
});

const resolveByQuery = createRoute({
  operationId: "resolveImageByQuery",
  summary: "The same by query parameters",
  tags,
  security: read,
  method: "get",
  path: "/resolve",
  request: { query: ResolveImageQuery },
  responses: { 200: json(ResolvedImage, "The resolution"), ...problems("invalid_request", "invalid_configuration") },
});

const validate = createRoute({
  operationId: "validateContainerConfig",
  summary: "Whether a configuration can be had, and everything that is wrong with it",
  tags,
  security: read,
  method: "post",
  path: "/validate",
  request: { body: jsonBody(ResolveImageOptions) },
  responses: { 200: json(ValidationResult, "The findings"), ...problems(...bodyProblems) },
});

const matrix = createRoute({
  operationId: "getImageMatrix",
  summary: "Every flavor with every set of addons: whether it is valid, its image, and whether that can be had",
  tags,
  security: read,
  method: "get",
  path: "/matrix",
  responses: { 200: json(ImageMatrix, "The combinations, smaller sets first") },
});

export function imageRoutes({ images }: { images: Images }) {
  const router = createRouter();
  router.openapi(resolve, async (c) => {
    const { slug, ...options } = c.req.valid("json");
    return c.json(await images.resolve(options, slug), 200);
  });
  router.openapi(resolveByQuery, async (c) => {
    const { slug, ...options } = c.req.valid("query");
    return c.json(await images.resolve(options, slug), 200);
  });
  router.openapi(validate, (c) => c.json(images.validate(c.req.valid("json")), 200));
  router.openapi(matrix, async (c) => c.json(await images.matrix(), 200));
  return router;
}
