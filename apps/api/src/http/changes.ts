import { ApiError } from "./problem.ts";

/** What a PATCH changes: the fields that were sent, without the id, which must be the entry's own. */
export function changesOf<Sent extends { id?: string | undefined }>(
  id: string,
  { id: sentId, ...changes }: Sent,
): Defined<Omit<Sent, "id">> {
  if (sentId !== undefined && sentId !== id) {
    const message = "'id' cannot be changed";
    const fix = "Leave it out, or make a new entry";
    throw new ApiError("validation_failed", message, {
      errors: [{ path: "id", code: "immutable_field", message, fix }],
    });
  }
  const sent = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(sent) as Defined<Omit<Sent, "id">>;
}

type Defined<Fields> = { [Field in keyof Fields]?: Exclude<Fields[Field], undefined> };
