export { startCoolifyFake, type CoolifyFake } from "./fake.ts";
export type { CoolifyFakeOptions, ServerOptions } from "./options.ts";
export type { Fault, FaultKind } from "./faults.ts";
export type { ApplicationSnapshot, RunningSnapshot } from "./snapshot.ts";
export type { ReceivedRequest } from "./requests.ts";
