/** An id of the gateway; ids of one kind sort by the time they were made. */
export const newId = (prefix: "ses" | "prm" | "per" | "eli"): string =>
  `${prefix}_${Bun.randomUUIDv7().replaceAll("-", "")}`;
