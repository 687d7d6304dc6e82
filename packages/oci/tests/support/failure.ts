import { RegistryError } from "../../src/index.ts";

/** The error a call fails with; everything else is thrown on. */
export async function failure(call: Promise<unknown>): Promise<RegistryError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}
