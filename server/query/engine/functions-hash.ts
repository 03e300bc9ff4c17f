/** Hashes and names by chance. https://www.w3.org/TR/sparql11-query/#func-hash */
import { createHash, randomUUID } from "node:crypto";
import { namedNode } from "../../rdf/terms.ts";
import { define, type Function, termCode, textCode } from "./code.ts";

const hash = (algorithm: string) =>
  define(
    ([operand], tools) =>
      textCode(tools, (row) => {
        const text = operand!.text(row);
        if (text === null || text.language !== "") return null;
        return { value: createHash(algorithm).update(text.value, "utf8").digest("hex"), language: "" };
      }),
    1,
  );

export const HASH_FUNCTIONS: readonly (readonly [name: string, found: Function])[] = [
  ["MD5", hash("md5")],
  ["SHA1", hash("sha1")],
  ["SHA256", hash("sha256")],
  ["SHA384", hash("sha384")],
  ["SHA512", hash("sha512")],
  [
    "UUID",
    define((_, tools) => {
      const { terms } = tools.context;
      return termCode(tools, () => terms.intern(namedNode(`urn:uuid:${randomUUID()}`)));
    }, 0),
  ],
  ["STRUUID", define((_, tools) => textCode(tools, () => ({ value: randomUUID(), language: "" })), 0)],
];
