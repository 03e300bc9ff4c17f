/** Micro benchmark of reading Turtle and N-Triples, beside n3: `node test/bench/rdf.ts`. Compare ratios, not machines. */
import { Parser } from "n3";
import { LIMITS } from "../../server/limits.ts";
import { parseDataset } from "../../server/rdf/parse.ts";

const HERE = "https://ana.example/notes/today.ttl";
const limits = { ...LIMITS, rdfQuadsMax: 1_000_000, rdfBytesMax: 16 * 1024 * 1024 };
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const PREFIXES = `@prefix foaf: <http://xmlns.com/foaf/0.1/>.
@prefix dcterms: <http://purl.org/dc/terms/>.
@prefix xsd: <http://www.w3.org/2001/XMLSchema#>.
`;

/** What people keep: a thing with a type, names, dates, numbers, a link, something in brackets and a short list. */
const thing = (at: number): string => `
<#it${at}> a foaf:Document, <https://schema.org/Note>;
  foaf:name "Note number ${at}", "Notiz Nummer ${at}"@de;
  dcterms:modified "2026-01-02T03:04:05Z"^^xsd:dateTime; # By the clock of the wall.
  dcterms:creator <https://ana.example/profile/card#me>;
  foaf:age ${at}; foaf:open true; foaf:weight 12.5;
  dcterms:relation [ a foaf:Agent; foaf:nick "a\\tb" ], ( <one> <two> ${at} ).
`;

function turtleOf(bytes: number): string {
  let text = PREFIXES;
  for (let at = 0; text.length < bytes; at++) text += thing(at);
  return text;
}

function linesOf(bytes: number): string {
  let text = "";
  for (let at = 0; text.length < bytes; at++) {
    text += `<${HERE}#it${at}> <http://purl.org/dc/terms/title> "Note number ${at}"@en .\n`;
    text += `_:b${at} <http://xmlns.com/foaf/0.1/age> "${at}"^^<http://www.w3.org/2001/XMLSchema#integer> .\n`;
  }
  return text;
}

/** @returns median µs for each KB. */
function measure(bytes: number, run: () => unknown): number {
  const rounds: number[] = [];
  const until = performance.now() + 3_000;
  for (let at = 0; performance.now() < until || at < 5; at++) {
    const times = Math.max(1, Math.round(50_000 / bytes));
    const started = performance.now();
    for (let time = 0; time < times; time++) run();
    rounds.push(((performance.now() - started) * 1000) / times / (bytes / 1024));
  }
  const settled = rounds.slice(Math.floor(rounds.length / 4)).sort((a, b) => a - b);
  return settled[Math.floor(settled.length / 2)]!;
}

for (const [name, contentType, make] of [
  ["Turtle", "text/turtle", turtleOf],
  ["N-Triples", "application/n-triples", linesOf],
] as const) {
  for (const size of [1024, 100 * 1024, 5 * 1024 * 1024]) {
    const bytes = new TextEncoder().encode(make(size));
    const ours = measure(bytes.length, () => parseDataset(bytes, contentType, HERE, limits));
    const theirs = measure(bytes.length, () =>
      new Parser({ format: name, baseIRI: HERE }).parse(new TextDecoder().decode(bytes)),
    );
    print(
      `${name.padEnd(10)} ${String(Math.round(bytes.length / 1024)).padStart(5)} KB   ours ${ours.toFixed(1).padStart(6)} µs/KB   n3 ${theirs.toFixed(1).padStart(6)} µs/KB   ${(theirs / ours).toFixed(1)} times as fast`,
    );
  }
}
