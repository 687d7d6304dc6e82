import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { temporaryFolder, until } from "../support/gateway.ts";
import { caller, refusal, world } from "./support.ts";

const isRoot = process.getuid?.() === 0;
const name = "a prompt that cannot be written is refused and never run; later ones work";

test.if(isRoot)(
  isRoot ? name : `${name} [skipped: only root can mount a small disk]`,
  async () => {
    await using folder = await temporaryFolder();
    const disk = join(folder.path, "disk");
    expect(Bun.spawnSync(["sh", "-c", `mkdir ${disk} && mount -t tmpfs -o size=2m tmpfs ${disk}`]).exitCode).toBe(0);
    try {
      await using w = await world({ dataFolder: join(disk, "data") });
      const { id } = await w.create();
      await w.run(id, "text before");
      const ballast = join(disk, "ballast");
      await writeFile(ballast, Buffer.alloc(1_900_000)).catch(() => {});
      const send = (text: string) => w.manager.prompt(id, { text }, { caller, idempotencyKey: "k" });
      const big = "x".repeat(300_000);
      expect((await refusal(send(`text ${big}`))).code).toBe("storage_full");
      expect((await refusal(send("text y"))).code).toBe("storage_full");
      expect((await refusal(w.create())).code).toBe("storage_full");
      expect(w.manager.get(id).queuedPrompts).toBe(0);
      await rm(ballast);
      await until(() => !w.log.isFull());
      const { promptId } = await send("text after");
      expect((await w.ended(id, promptId)).text).toBe("after");
      const prompts = w.manager.listPrompts(id, { limit: 9 }).prompts.map(({ status }) => status);
      expect(prompts).toEqual(["finished", "cancelled", "finished"]);
      expect((await w.events(id)).filter(({ type }) => type === "prompt_started")).toHaveLength(2);
    } finally {
      Bun.spawnSync(["umount", "-l", disk]);
    }
  },
  20_000,
);
