/** Writes `vocab/terms.ts` from `vocab/freehold.ttl` and `vocab/foreign.ts`. Run: `node test/tools/vocab.ts`. */
import { readFile, writeFile } from "node:fs/promises";
import { Parser } from "n3";
import { FOREIGN } from "../../vocab/foreign.ts";

const OWN = "https://w3id.org/freehold/ns#";
const HERE = new URL("../../vocab/", import.meta.url);
export const TERMS_FILE = new URL("terms.ts", HERE);

/** In the order of the code points, not of a locale: the same everywhere. */
const byCodePoint = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function constants(prefix: string, namespace: string, names: Iterable<string>): string {
  const lines = [...new Set(names)].sort(byCodePoint).map((name) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    const line = `  ${key}: ${JSON.stringify(namespace + name)},`;
    return line.length <= 110 ? line : `  ${key}:\n    ${JSON.stringify(namespace + name)},`;
  });
  return `/** ${namespace} */\nexport const ${prefix} = {\n${lines.join("\n")}\n} as const;\n`;
}

/** @returns the text of `vocab/terms.ts`; the same for the same input. */
export async function generateTerms(): Promise<string> {
  const quads = new Parser({ baseIRI: OWN }).parse(await readFile(new URL("freehold.ttl", HERE), "utf8"));
  const own = quads.map((quad) => quad.subject.value).filter((iri) => iri.startsWith(OWN) && iri !== OWN);
  const parts = [
    constants(
      "fh",
      OWN,
      own.map((iri) => iri.slice(OWN.length)),
    ),
  ];
  for (const [prefix, [namespace, names]] of Object.entries(FOREIGN)) {
    parts.push(constants(prefix, namespace, names.split(" ")));
  }
  return `/* Made by test/tools/vocab.ts from freehold.ttl and foreign.ts: do not edit. Long, for each word is a line or two. */\n\n${parts.join("\n")}`;
}

if (import.meta.main) await writeFile(TERMS_FILE, await generateTerms());
