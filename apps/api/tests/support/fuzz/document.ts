/** The parts of a JSON schema that samples are made from. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
}

export interface Parameter {
  in: "path" | "query" | "header";
  name: string;
  required?: boolean;
  schema?: Schema;
}

export interface DeclaredResponse {
  $ref?: string;
  description?: string;
  content?: Record<string, { schema?: Schema }>;
}

interface DeclaredOperation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
  responses: Record<string, DeclaredResponse>;
}

export interface Document {
  paths: Record<string, Record<string, DeclaredOperation>>;
  components: { schemas: Record<string, Schema>; responses?: Record<string, DeclaredResponse> };
}

export interface Operation {
  method: string;
  /** Such as `/api/projects/{id}`. */
  path: string;
  parameters: readonly Parameter[];
  body: Schema | undefined;
  responses: Readonly<Record<string, DeclaredResponse>>;
}

export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content["application/json"]?.schema,
      responses,
    })),
  );
}

/** What a `$ref` points to. */
export function resolveRef(document: Document, ref: string): unknown {
  const names = ref.replace(/^#\//, "").split("/");
  return names.reduce<unknown>((value, name) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) throw new Error(`no ${ref}`);
    return Reflect.get(value, name);
  }, document);
}

/** Operations of the path that a target names, none when no path is like it. Fixed parts win over parameters. */
export function operationsAt(operations: readonly Operation[], target: string): Operation[] {
  const path = target.replace(/[?#].*$/s, "");
  const matching = operations.filter((operation) => matches(operation.path, path));
  const fewest = Math.min(...matching.map((operation) => operation.path.split("{").length));
  return matching.filter((operation) => operation.path.split("{").length === fewest);
}

function matches(template: string, path: string): boolean {
  const wanted = template.split("/");
  const parts = path.split("/");
  // What stands for a whole path takes all that is left.
  const isOpen = wanted.at(-1) === "{path}" && parts.length > wanted.length;
  const given = isOpen ? [...parts.slice(0, wanted.length - 1), parts.slice(wanted.length - 1).join("/")] : parts;
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => (part.startsWith("{") ? given[index] !== "" : part === given[index]))
  );
}
