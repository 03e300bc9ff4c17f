/** How a door is described: what its own table cannot tell. */

export interface Schema {
  readonly [keyword: string]: unknown;
}

/** Who may pass, in the words of the reference. */
export type Pass = "everybody" | "session" | "proof" | "named" | "owner" | "page";

export interface Said {
  /** One line: what it does. */
  readonly about: string;
  /** More, where one line is not enough. */
  readonly more?: string;
  readonly pass: Pass;
  /** What is sent: by media type. */
  readonly body?: Readonly<Record<string, Schema>>;
  /** Values in the query: by name. */
  readonly query?: Readonly<Record<string, Schema>>;
  /** Status of success; 200 unless it is said. */
  readonly status?: 200 | 201 | 202 | 204 | 303;
  /** What is answered: by media type; null for nothing. */
  readonly answer?: Readonly<Record<string, Schema>> | null;
}

/** By `verb path`, as the door's own table has it. */
export type SaidOf = Readonly<Record<string, Said>>;

const JSON_TYPE = "application/json";

export const text = (description?: string, most?: number): Schema => ({
  type: "string",
  ...(most !== undefined && { maxLength: most }),
  ...(description !== undefined && { description }),
});
export const count = (description?: string): Schema => ({
  type: "integer",
  minimum: 0,
  ...(description !== undefined && { description }),
});
export const moment: Schema = { type: "integer", description: "Milliseconds since 1970" };
export const flag = (description?: string): Schema => ({
  type: "boolean",
  ...(description !== undefined && { description }),
});
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
export const list = (items: Schema, description?: string): Schema => ({
  type: "array",
  items,
  ...(description !== undefined && { description }),
});
export const choice = (...values: readonly string[]): Schema => ({ type: "string", enum: values });
/** @param properties A name that ends in `?` may be left out. */
export function object(properties: Readonly<Record<string, Schema>>, description?: string): Schema {
  const names = Object.keys(properties);
  const required = names.filter((name) => !name.endsWith("?"));
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/, ""), properties[name]])),
    ...(required.length > 0 && { required }),
    ...(description !== undefined && { description }),
  };
}
export const anything = (description: string): Schema => ({ description });
export const json = (schema: Schema): Readonly<Record<string, Schema>> => ({ [JSON_TYPE]: schema });
export const NOTHING: Readonly<Record<string, Schema>> = json({
  type: "object",
  description: "Empty: it is done",
});
/** Progress as lines, at the end a result or a problem. */
export const PROGRESS: Readonly<Record<string, Schema>> = {
  "application/x-ndjson": text(
    'Lines: {"progress": …} now and then, at the end {"result": …} or {"problem": …}',
  ),
};
