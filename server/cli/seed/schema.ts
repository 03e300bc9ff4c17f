/** What a seed file may say, as JSON Schema: the document for people, and what the file is held against before anything is done. */

export interface Schema {
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "boolean";
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly [more: `$${string}`]: unknown;
  readonly title?: string;
}

const text = (description: string, maxLength = 1_000, more: Partial<Schema> = {}): Schema => ({
  type: "string",
  description,
  minLength: 1,
  maxLength,
  ...more,
});
const list = (description: string, items: Schema, maxItems = 10_000): Schema => ({
  type: "array",
  description,
  items,
  maxItems,
});
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[]): Schema => ({
  type: "object",
  additionalProperties: false,
  properties,
  required,
});

const MODES = ["read", "append", "write", "control"] as const;
const PLACE = "relative to the pod, such as notes/today.ttl";
const DAY = "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}Z)?$";

const DOCUMENT = object(
  {
    path: text(`Where it stands, ${PLACE}`, 2_048),
    file: text("The file that it is made from, relative to this one", 4_096),
    content: { type: "string", description: "Or its content, as text", maxLength: 1_000_000 },
    type: text("Its media type, where the ending does not say", 200),
  },
  ["path"],
);

const SHAPE = object(
  {
    folder: text("The folder whose documents must have the shape, ending in /", 2_048, { pattern: "/$" }),
    shape: text("The shape's address, or its name among the server's own, such as BankTransaction", 2_048),
  },
  ["folder", "shape"],
);

const ACCESS = object(
  {
    path: { type: "string", description: `Document or folder, ${PLACE}; empty: the pod`, maxLength: 2_048 },
    to: text("A pod named here or on the server, a WebID, public or signed-in", 2_048),
    modes: { ...list("What for", { type: "string", enum: MODES }, 4), minItems: 1 },
  },
  ["path", "to", "modes"],
);

const GRANT = object(
  {
    to: text("A vendor's pod, or its WebID", 2_048),
    places: { ...list(`Documents and folders, ${PLACE}`, text("One of them", 2_048), 100), minItems: 1 },
    purposes: {
      ...list(
        "DPV purposes, of which any will do",
        text("Its name, such as ServiceProvision, or its address", 500),
        20,
      ),
      minItems: 1,
    },
    until: text("The last day, such as 2027-01-31, at most 13 months from the day of seeding", 30, {
      pattern: DAY,
    }),
    benefit: text("What the person gets, in English", 140),
    notice: text("Address of the vendor's privacy notice", 2_048, { pattern: "^https?://" }),
  },
  ["to", "places", "purposes", "until"],
);

const ACCOUNT: Readonly<Record<string, Schema>> = {
  pod: text("Name of the pod, and what is typed to sign in", 63, {
    pattern: "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$",
  }),
  name: text("What the person wants to be called; otherwise the pod's name", 100),
  password: text("The password; of an account that is there already, it is not changed", 1_000),
  passwordFile: text("Or the file that holds it, relative to this one", 4_096),
  recoveryFile: text("Makes a passport, and writes its keys into this file, relative to this one", 4_096),
  documents: list("Documents of all kinds", DOCUMENT, 100_000),
  shapes: list("Folders whose documents must have a shape", SHAPE),
  access: list("Who may read or write what, by access lists", ACCESS),
  grants: list("What vendors may read by the owner's consent", GRANT),
};

export const SEED_SCHEMA: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "What freehold seed takes; besides, a seed file of the Community Solid Server, as it is",
  ...object(
    {
      $schema: { type: "string" },
      accounts: list("People, each with a pod", object(ACCOUNT, ["pod"])),
      vendors: list("Whoever asks people for access: accounts, too", object(ACCOUNT, ["pod"])),
    },
    [],
  ),
};

/** https://communitysolidserver.github.io/CommunitySolidServer/latest/usage/seeding-pods/ */
export const CSS_SCHEMA: Schema = {
  type: "array",
  maxItems: 10_000,
  items: {
    type: "object",
    properties: {
      email: text("Where the account is reached", 320),
      password: text("The password", 1_000),
      pods: {
        type: "array",
        maxItems: 100,
        items: { type: "object", properties: { name: text("Name of the pod", 63) }, required: ["name"] },
      },
    },
    required: ["email", "password"],
  },
};

/** One thing that is wrong, and where: a JSON pointer. */
export interface Fault {
  readonly at: string;
  readonly detail: string;
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : value === null ? "null" : typeof value;

const NAMES = {
  object: "an object {…}",
  array: "a list […]",
  string: "text",
  boolean: "true or false",
} as const;

/** @returns everything that is wrong. @param suggest Adds "did you mean" for a name that is unknown. */
export function faultsOf(
  value: unknown,
  schema: Schema,
  suggest: (word: string, known: readonly string[]) => string,
  at = "",
): readonly Fault[] {
  if (schema.type !== undefined && kindOf(value) !== schema.type)
    return [{ at, detail: `wants ${NAMES[schema.type]}` }];
  if (typeof value === "string") {
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema;
    if (value.length < minLength) return [{ at, detail: "is empty" }];
    if (value.length > maxLength) return [{ at, detail: `has more than ${maxLength} characters` }];
    if (schema.enum && !schema.enum.includes(value))
      return [{ at, detail: `wants one of ${schema.enum.join(", ")}` }];
    if (pattern !== undefined && !new RegExp(pattern).test(value))
      return [{ at, detail: `does not fit ${pattern}` }];
    return [];
  }
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items = {} } = schema;
    if (value.length < minItems) return [{ at, detail: "is empty" }];
    if (value.length > maxItems) return [{ at, detail: `has more than ${maxItems} items` }];
    return value.flatMap((one, index) => faultsOf(one, items, suggest, `${at}/${index}`));
  }
  if (typeof value !== "object" || value === null) return [];
  const { properties = {}, required = [] } = schema;
  const missing = required
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => ({ at: `${at}/${name}`, detail: "is missing" }));
  const rest = Object.entries(value).flatMap(([name, one]) => {
    const place = `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (Object.hasOwn(properties, name)) return faultsOf(one, properties[name]!, suggest, place);
    if (schema.additionalProperties !== false) return [];
    return [{ at: place, detail: `is not known.${suggest(name, Object.keys(properties))}` }];
  });
  return [...missing, ...rest];
}
