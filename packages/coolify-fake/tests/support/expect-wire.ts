import { expect } from "bun:test";

/** Expects something of a value that came over the wire, whose type is not known. */
export const expectWire = (value: unknown) => expect(value);
