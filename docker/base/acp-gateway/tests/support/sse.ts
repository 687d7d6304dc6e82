export type Told = { id: number; event: string; data: { seq: number; type: string; [name: string]: unknown } };

/** Events of an answer in text/event-stream, until it ends or `enough` says so; then it is left. */
export async function readEvents(answer: Response, enough: (told: Told) => boolean = () => false): Promise<Told[]> {
  const all: Told[] = [];
  if (answer.body === null) return all;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const told = toldOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (told === null) continue;
      all.push(told);
      if (enough(told)) return all;
    }
  }
  return all;
}

function toldOf(frame: string): Told | null {
  const fields = new Map(
    frame.split("\n").map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)] as const;
    }),
  );
  const data = fields.get("data");
  if (data === undefined) return null;
  return { id: Number(fields.get("id")), event: fields.get("event") ?? "", data: JSON.parse(data) as Told["data"] };
}
