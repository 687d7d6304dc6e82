import { describe, expect, test } from "bun:test";
import { createScrap } from "../../src/storage/scrap.ts";

const MiB = 1024 * 1024;

function scrapOf(residentMiB: number) {
  const seen = { looks: 0, collections: 0 };
  const scrap = createScrap({
    resident() {
      seen.looks += 1;
      return residentMiB * MiB;
    },
    collect() {
      seen.collections += 1;
    },
  });
  for (let made = 0; made < 64; made += 1) scrap.made(MiB);
  return seen;
}

describe("what was made for readers", () => {
  test("is collected when the process has grown, with a look for every 16 MiB", () => {
    expect(scrapOf(160)).toEqual({ looks: 4, collections: 4 });
  });

  test("is left to the engine while the process is small", () => {
    expect(scrapOf(60)).toEqual({ looks: 4, collections: 0 });
  });
});
