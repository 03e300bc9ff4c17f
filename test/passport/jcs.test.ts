/** The one form of JSON that is hashed and signed: written here for what was parsed, and held against the library's. */
import canonicalize from "canonicalize";
import { expect } from "chai";
import fc from "fast-check";
import { jcs } from "../../client-lib/passport/bytes.ts";

describe("JSON in one form", () => {
  it("is that of the library, for whatever JSON can say", () => {
    const name = fc.oneof(
      fc.constantFrom("__proto__", "toJSON", "10", "9", "é", "\u{1f600}", "\ufb33", "", '"', "\\", "\u007f"),
      fc.string({ unit: "binary" }),
    );
    const { value: tree } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "medium", withCrossShrink: true },
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger(), fc.constant(-0)),
        fc.oneof(fc.string({ unit: "binary" }), fc.boolean(), fc.constant(null)),
        fc.array(tie("value")),
        fc.dictionary(name, tie("value")),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value));
        expect(jcs(parsed)).to.equal(canonicalize(parsed));
      }),
      { numRuns: 300 },
    );
  });

  it("is the library's as well for what no JSON text says", () => {
    const shared = { a: 1 };
    const bare = Object.assign(Object.create(null) as object, { b: 1, a: 2 });
    for (const value of [
      { b: undefined, a: [undefined, 1] },
      { date: new Date(0) },
      { twice: [shared, shared] },
      { bare },
      { own: { toJSON: () => ({ z: 1, a: 2 }) } },
      { boxed: new Number(1) },
      JSON.parse(`${"[".repeat(200)}1${"]".repeat(200)}`),
    ])
      expect(jcs(value)).to.equal(canonicalize(value));
  });

  const none: readonly (readonly [what: string, value: unknown])[] = [
    ["a number that is none", { a: Number.NaN }],
    ["one without end", [Number.POSITIVE_INFINITY]],
    ["half a character", { a: "\ud800" }],
    ["half a character as a name", { "\udc00": 1 }],
    ["nothing at all", undefined],
  ];
  for (const [what, value] of none) {
    it(`does not exist for ${what}`, () => {
      expect(() => jcs(value)).to.throw();
    });
  }

  it("does not exist for what is in itself", () => {
    const value: { self?: unknown } = {};
    value.self = value;
    expect(() => jcs(value)).to.throw();
  });
});
