/** What a handler answers: `json` or `text`, never both. */
export interface Answer {
  status: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

/** Thrown by rules and look-ups; the server answers with what it holds. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

export type FieldErrors = Record<string, string | string[]> | string[];

export const ok = (json: unknown): Answer => ({ status: 200, json });
export const created = (json: unknown): Answer => ({ status: 201, json });
export const says = (status: number, message: string): Answer => ({ status, json: { message } });
export const invalid = (errors: FieldErrors): Answer => ({
  status: 422,
  json: { message: "Validation failed.", errors },
});
export const badBody = (error: string): Answer => ({ status: 400, json: { message: "Invalid request.", error } });

export const NOT_FOUND: Answer = { status: 404, json: { message: "Not found.", docs: "https://coolify.io/docs" } };
export const SERVER_ERROR: Answer = says(500, "Server Error");

/** Ends the handler with this answer. */
export function refuse(answer: Answer): never {
  throw new Refusal(answer);
}
