/** Turtle documents by chance: every construct of the grammar, and broken ones. */
import fc from "fast-check";

const pick = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const join = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.join(""));
const many = (part: fc.Arbitrary<string>, separator: string, minLength = 1): fc.Arbitrary<string> =>
  fc.array(part, { minLength, maxLength: 3 }).map((texts) => texts.join(separator));

// biome-ignore-start format: lists of spellings
const gap = pick(" ", " ", " ", "\n", "\t", "\r\n", "\r", " # a comment ' \" <\n", "  \n\n ");
const iri = pick(
  "<>",
  "<#it>",
  "<a>",
  "<b/c>",
  "<../d>",
  "<./e>",
  "</f>",
  "<//host/g>",
  "<?q=1>",
  "<?q#f>",
  "<a/./b/../c>",
  "<../../../x>",
  "<http://e/>",
  "<http://e/a?b#c>",
  "<urn:x:y>",
  "<mailto:a@b>",
  "<HTTP://E/ä😀>",
  "<http://e/\\u00E9\\U0001F600>",
  "<\\u0061>",
  "<g;x=1/../y>",
  "<http://e/a/../b>",
  "<#a/../b>",
  "<..>",
  "<.>",
  "<.a>",
  "<a..>",
);
const name = pick(
  "e:a",
  "e:",
  ":",
  ":b",
  "e:a.b",
  "e:a-b_c",
  "e:1",
  "e:%41%2f",
  "e:a\\-b\\(c\\)",
  "e:\\~x",
  "e:a:b",
  "e::",
  "é.ü-1:ä😀",
  "e:a\u00b7",
  "e:a\\,",
  "e:0.0",
  "true:x",
  "a:a",
  "prefix:base",
  "e:_x",
  "e:x%20",
  "e:a\\.",
);
const label = pick("_:a", "_:b0", "_:g1", "_:0", "_:a.b", "_:a-b", "_:é😀", "_:_", "_:a\u00b7");
const string = pick(
  '""',
  '"a"',
  "''",
  "'a'",
  '"a\'b"',
  "'a\"b'",
  '"\\t\\b\\n\\r\\f\\"\\\'\\\\"',
  '"\\u00e9\\U0001F600"',
  '""""""',
  "''''''",
  '"""a"b""c\n\rd"""',
  "'''a'b''c\\''''",
  '"ä😀 # <x> ["',
  '"\u0000\u007f"',
  '"""\\""""',
  '"""x\\\\"""',
  "'''\n\t'''",
);
const number = pick(
  "1",
  "+1",
  "-01",
  "1.5",
  ".5",
  "-.5",
  "1e3",
  "1.E3",
  ".5e-3",
  "+1.5E+3",
  "1234567890123456789",
);
const suffix = pick(
  "",
  "",
  "@en",
  "@EN-gb-x1",
  " @de",
  "^^e:t",
  "^^<t>",
  "^^ <http://e/t>",
  "^^:",
  "^^\n e:a.b",
);
// biome-ignore-end format: lists of spellings

const node = fc.oneof(iri, name);
const verb = fc.oneof({ weight: 3, arbitrary: node }, pick("a"));
const { properties } = fc.letrec<{
  object: string;
  list: string;
  bracket: string;
  properties: string;
}>((tie) => ({
  object: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    iri,
    name,
    label,
    join(string, suffix),
    number,
    pick("true", "false", "[]", "()", "[ ]", "( )", "[#\n]"),
    tie("list"),
    tie("bracket"),
  ),
  list: many(tie("object"), " ").map((items) => `(${items} )`),
  bracket: tie("properties").map((said) => `[ ${said} ]`),
  properties: join(
    verb,
    gap,
    many(tie("object"), " , "),
    pick("", "", " ;", ";;\n;"),
    fc.option(join(pick(" ; "), verb, gap, tie("object")), { nil: "" }),
  ).map((text) => text.replace(/( ;|;;\n;)( ; )/, "$2")),
}));

const subject = fc.oneof(iri, name, label, pick("[]", "()", "( 1 [] )", "([ e:p 1 ] () (2))"));
const statement = fc.oneof(
  { weight: 6, arbitrary: join(subject, gap, properties, gap, pick(".")) },
  {
    weight: 1,
    arbitrary: join(
      properties.map((said) => `[ ${said} ]`),
      pick(" .", " e:p 1 .", " a e:a; e:q 2 ."),
    ),
  },
  {
    weight: 2,
    arbitrary: pick(
      "@prefix e: <http://f/> .",
      "PREFIX e: <rel/>",
      "prefix : <#>",
      "@base <http://h/i/j?k#l> .",
      "BASE <sub/>",
      "base <../>",
      "@prefix a:<a>.",
    ),
  },
);
const PROLOGUE =
  "@prefix e: <http://e/ns#> . @prefix : <http://e/d/> . @prefix é.ü-1: <http://u/> .\nPREFIX true: <http://t/> prefix a: <a#> @prefix prefix: <p#>.\n";

/** Documents that the grammar takes. */
export const turtle: fc.Arbitrary<string> = fc
  .array(join(gap, statement), { maxLength: 6 })
  .map((statements) => PROLOGUE + statements.join("\n"));

const lineGap = pick(" ", "", "\t", "  ");
const address = pick("<http://e/a>", "<urn:b>", "<http://e/\\u00e9ä>", "<http://e/?q#f>");
const line = join(
  lineGap,
  fc.oneof(address, label),
  lineGap,
  address,
  lineGap,
  fc.oneof(
    address,
    label,
    join(pick('"a"', '""', '"\\t\\"\\u00e9ä😀"', '"\'"'), pick("", "@en", "@en-GB", "^^<http://e/t>")),
  ),
  pick(" ", "\t"),
  pick("", "", "<http://e/g> ", "_:g "),
  pick(".", ".", ". # x"),
  pick("\n", "\r\n", "\n\n", "\n# x\n", "\r"),
);
/** Documents of N-Quads. */
export const lines: fc.Arbitrary<string> = fc.array(line, { maxLength: 6 }).map((texts) => texts.join(""));

/** How to break a document: at, how many units go, what comes instead. */
export type Mutation = readonly (readonly [number, number, string])[];
// biome-ignore format: a list
export const mutation: fc.Arbitrary<Mutation> = fc.array(
  fc.tuple(
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.oneof(
      pick("", "", ".", ";", ",", "[", "]", "(", ")", "<", ">", '"', "'", "\\", "#", "@", "^^", ":", "_:", "a", "1", "-", "%", "\n", " ",
        "\0", "é", "😀", "e:a", "true", "{", "}", "\\u0041", '"""', "'''", "@prefix ", "BASE ", "\ufeff", "\u00a0", "+.", "e"),
      fc.string({ maxLength: 3, unit: "binary" }),
    ),
  ),
  { minLength: 1, maxLength: 3 },
);

export function mutate(text: string, mutations: Mutation): string {
  let broken = text;
  for (const [place, gone, put] of mutations) {
    const at = place % (broken.length + 1);
    broken = broken.slice(0, at) + put + broken.slice(at + gone);
  }
  return broken.toWellFormed(); // Bytes that are no text are refused before either parser sees them.
}
