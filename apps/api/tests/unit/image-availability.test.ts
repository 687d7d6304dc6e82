import { describe, expect, test } from "bun:test";
import {
  createImageAvailabilities,
  type ImageAvailability,
  type ImageInspector,
} from "../../src/services/image-availability.ts";

const image = (imageRef: string) => ({ imageRef, flavorId: "js", addonIds: [] });
const available: ImageAvailability = { state: "available", digest: "sha256:1", compressedBytes: 5 };
const unknown: ImageAvailability = { state: "unknown", digest: null, compressedBytes: null };

function recording(inspect: ImageInspector["inspect"]) {
  const asked: string[][] = [];
  const inspector: ImageInspector = {
    inspect(images, signal) {
      asked.push(images.map(({ imageRef }) => imageRef));
      return inspect(images, signal);
    },
  };
  return { asked, inspector };
}

describe("whether an image can be had", () => {
  test("is unknown where nobody can be asked", async () => {
    expect(await createImageAvailabilities({ inspector: undefined })([image("a")])).toEqual([unknown]);
  });

  test("is asked in one go, and answered in order", async () => {
    const { asked, inspector } = recording(async () => new Map([["b", available]]));
    const availabilityOf = createImageAvailabilities({ inspector });
    expect(await availabilityOf([image("a"), image("b")])).toEqual([unknown, available]);
    expect(asked).toEqual([["a", "b"]]);
  });

  test("is asked again only after a while", async () => {
    let time = 0;
    const { asked, inspector } = recording(async () => new Map([["a", available]]));
    const availabilityOf = createImageAvailabilities({ inspector, ttlMs: 100, now: () => time });
    await availabilityOf([image("a")]);
    time = 99;
    await availabilityOf([image("a"), image("b")]);
    time = 100;
    await availabilityOf([image("a")]);
    expect(asked).toEqual([["a"], ["b"], ["a"]]);
  });

  test("is asked once by callers at the same time", async () => {
    const { asked, inspector } = recording(async () => new Map([["a", available]]));
    const availabilityOf = createImageAvailabilities({ inspector });
    await Promise.all([availabilityOf([image("a")]), availabilityOf([image("a")])]);
    expect(asked).toHaveLength(1);
  });

  test("is unknown when the inspector fails or takes too long", async () => {
    const failing = createImageAvailabilities({ inspector: { inspect: () => Promise.reject(new Error("no engine")) } });
    expect(await failing([image("a")])).toEqual([unknown]);
    const silent = createImageAvailabilities({ inspector: { inspect: () => new Promise(() => {}) }, timeoutMs: 10 });
    expect(await silent([image("a")])).toEqual([unknown]);
  });
});
