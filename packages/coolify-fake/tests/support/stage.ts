import type { CoolifyFake, Fault } from "../../src/index.ts";
import { observations } from "./exchanges.ts";
import { request, untilIdle } from "./wait.ts";

/** Longer than the exchanges take that see an application whose deletion has not run. */
const LAG_MS = 1500;

/** From the exchange on the first line up to the one on the last, this is so. */
const CONDITIONS: { from: number; to: number; fault: Fault }[] = [
  { from: 1, to: 340, fault: { kind: "stuck_deployment" } },
  { from: 339, to: 339, fault: { kind: "server_unreachable" } },
  { from: 433, to: 433, fault: { kind: "crash_after_finished" } },
  { from: 437, to: 437, fault: { kind: "failed_deployment" } },
  { from: 438, to: 457, fault: { kind: "stuck_deployment" } },
  { from: 473, to: 477, fault: { kind: "server_unreachable" } },
  { from: 482, to: 482, fault: { kind: "address_not_allowed" } },
  { from: 545, to: 545, fault: { kind: "crash_after_finished" } },
  { from: 549, to: 549, fault: { kind: "failed_deployment" } },
  { from: 571, to: 571, fault: { kind: "deletion_lag", ms: LAG_MS } },
];

/** After these lines, as after every observation, the recording waited until all was done. */
const WAITED_AFTER = new Set([432, 436, 437, 474, 544, 548, 575, ...observations.map(({ after }) => after)]);

/** Lines that were recorded against a used-up rate limit. */
export const isLimited = (line: number) => line >= 498 && line <= 504;

/** Brings the fake into the state the recording had before the exchange on this line. */
export function createStage(fake: CoolifyFake) {
  const removals = new Map<number, (() => void)[]>();
  return async (line: number) => {
    for (const [to, removes] of removals) {
      if (to >= line) continue;
      for (const remove of removes) remove();
      removals.delete(to);
    }
    if (line === 341) await cancelAll(fake);
    if (WAITED_AFTER.has(line - 1)) await untilIdle(fake);
    if (line === 479) await request(fake, "POST", "/disable");
    for (const { from, to, fault } of CONDITIONS) {
      if (from !== line) continue;
      removals.set(to, [...(removals.get(to) ?? []), fake.faults.add(fault)]);
    }
  };
}

/** What was queued while no worker ran; none of it is looked at again. */
async function cancelAll(fake: CoolifyFake) {
  for (;;) {
    const { json } = await request(fake, "GET", "/deployments");
    if (json.length === 0) return;
    for (const { deployment_uuid } of json) await request(fake, "POST", `/deployments/${deployment_uuid}/cancel`);
  }
}
