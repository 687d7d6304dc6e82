import { z } from "zod";

const Matrix = z.object({
  rows: z.array(
    z.object({
      flavorId: z.string(),
      addonIds: z.array(z.string()),
      valid: z.boolean(),
      imageRef: z.string().nullable(),
    }),
  ),
  truncated: z.boolean(),
});

export interface Combination {
  flavorId: string;
  addonIds: string[];
  /** `registry/owner/name:tag` as the API starts it. */
  imageRef: string;
}

/**
 * What the API says can be had on its runtime, so nothing with a GPU where there is none.
 * @param only comma lists of what may be taken; everything without them
 */
export async function validCombinations(
  url: string,
  only: { flavors: string | undefined; addons: string | undefined },
): Promise<Combination[]> {
  const response = await fetch(`${url}/api/images/matrix`);
  const { rows, truncated } = Matrix.parse(await response.json());
  if (truncated) throw new Error("the API does not list all combinations");
  const [flavors, addons] = [only.flavors?.split(","), only.addons?.split(",")];
  return rows.flatMap(({ flavorId, addonIds, valid, imageRef }) => {
    const isAsked =
      (flavors?.includes(flavorId) ?? true) && addonIds.every((addonId) => addons?.includes(addonId) ?? true);
    return valid && imageRef !== null && isAsked ? [{ flavorId, addonIds, imageRef }] : [];
  });
}
