/**
 * The part of SPARQL Update that Solid clients send as PATCH: INSERT DATA, DELETE DATA, DELETE WHERE, and
 * DELETE/INSERT … WHERE with plain triple patterns. One linear pass finds the statements; the parser of TriG reads the
 * triples, with an address in the place of each variable.
 * @see https://www.w3.org/TR/sparql11-update/
 */
import { Problem } from "../errors.ts";
import { type Place, placeOf } from "./depth.ts";
import { parseText } from "./parse.ts";
import type { PatchStep, Pattern } from "./patch.ts";
import { type Quad, variable } from "./terms.ts";

interface Token {
  readonly kind: "word" | "iri" | "prefix" | "mark" | "other";
  readonly text: string;
  readonly offset: number;
}

// Everything that means something, each alternative linear. What is not matched is not SPARQL.
const TOKENS =
  /(?<skip>\s+|#[^\r\n]*)|(?<iri><[^\s<>"{}|^`\\]*>)|(?<other>"""(?:[^"\\]|\\.|"(?!""))*"""|'''(?:[^'\\]|\\.|'(?!''))*'''|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'|@[A-Za-z][A-Za-z0-9-]*|\^\^|[?$][\p{L}\p{N}_]+|_:[\p{L}\p{N}_.-]*[\p{L}\p{N}_-]|[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?:[\p{L}][\p{L}\p{N}_.-]*)?:(?:[\p{L}\p{N}_:.-]|%[0-9A-Fa-f]{2}|\\[_~.!$&'()*+,;=/?#@%-])+)|(?<prefix>(?:[\p{L}][\p{L}\p{N}_.-]*)?:)|(?<word>[A-Za-z]+)|(?<mark>[{}[\]().,;])/suy;

const invalid = (text: string, offset: number, detail: string): Problem => {
  const { line, column } = placeOf(text, offset);
  return new Problem("patch-invalid", `${detail} (line:column ${line}:${column})`, {
    errors: [{ detail, at: `${line}:${column}` }],
  });
};

function* tokensOf(text: string): Generator<Token> {
  const pattern = new RegExp(TOKENS);
  let offset = 0;
  while (offset < text.length) {
    pattern.lastIndex = offset;
    const match = pattern.exec(text);
    if (!match?.groups)
      throw invalid(text, offset, "This is not part of a SPARQL Update that is understood here");
    const kind = (["word", "iri", "prefix", "mark", "other"] as const).find(
      (name) => match.groups?.[name] !== undefined,
    );
    if (kind) yield { kind, text: match[0], offset };
    offset = pattern.lastIndex;
  }
}

const REFUSED =
  "Only INSERT DATA, DELETE DATA, DELETE WHERE and DELETE/INSERT … WHERE with plain triples are taken as a patch";

const STATEMENTS_MAX = 1_000; // Each may look at the whole document.
const VARIABLE = "variable:"; // No address in an update may begin so.

function toPattern({ subject, predicate, object }: Quad): Pattern {
  const open = <T extends Pattern["object"]>(term: T) =>
    term.termType === "NamedNode" && term.value.startsWith(VARIABLE)
      ? variable(term.value.slice(VARIABLE.length))
      : term;
  return { subject: open(subject), predicate: open(predicate), object: open(object) };
}

/**
 * @param block What stands between the braces, and the one that closes.
 * @param start Where that is in the whole update; asked only for a mistake, for it takes a look at all that stands before.
 */
function parsePatterns(block: string, prologue: string, baseIri: string, start: () => Place): Pattern[] {
  try {
    return parseText(`${prologue}{\n${block}`, "application/trig", baseIri).map(toPattern);
  } catch (error) {
    const [finding] = error instanceof Problem ? error.errors : [];
    if (finding === undefined) throw error;
    const [line, column] = (finding.at ?? "2:1").split(":").map(Number); // The block begins in the second line.
    const { line: firstLine, column: firstColumn } = start();
    const at = `${firstLine + line! - 2}:${line === 2 ? firstColumn + column! - 1 : column}`;
    throw new Problem("patch-invalid", `${finding.detail} (line:column ${at})`, {
      errors: [{ detail: finding.detail, at }],
      cause: error,
    });
  }
}

/** @throws Problem `patch-invalid`, with the place. */
export function parseSparqlUpdate(text: string, baseIri: string): PatchStep[] {
  const tokens = [...tokensOf(text)];
  const steps: PatchStep[] = [];
  let next = 0;
  let prologue = "";

  const fail = (detail: string): never => {
    throw invalid(text, tokens[next]?.offset ?? text.length, detail);
  };
  const isWord = (word: string): boolean =>
    tokens[next]?.kind === "word" && tokens[next]?.text.toUpperCase() === word;
  const take = (word: string): boolean => {
    if (!isWord(word)) return false;
    next++;
    return true;
  };
  const address = (): string => {
    const { text: iri } = expect("iri", "an IRI");
    return iri.startsWith(`<${VARIABLE}`) ? fail("This address is not allowed here") : iri;
  };
  const expect = (kind: Token["kind"], what: string): Token => {
    const token = tokens[next];
    if (token?.kind !== kind) return fail(`Here ${what} is missing`);
    next++;
    return token;
  };

  /** `{ triples }`, as patterns. */
  const block = (): Pattern[] => {
    const open = tokens[next];
    if (open?.text !== "{") return fail("Here { is missing");
    next++;
    let written = "";
    let end = open.offset + 1;
    for (;;) {
      const token = tokens[next];
      if (token === undefined) return fail("A { is not closed");
      if (token.text === "{") return fail(REFUSED);
      if (token.kind === "word" && !["a", "true", "false"].includes(token.text))
        return fail(`${token.text.toUpperCase()} is not understood here: ${REFUSED}`);
      if (token.text.startsWith(`<${VARIABLE}`)) return fail("This address is not allowed here");
      next++;
      written += text.slice(end, token.offset).replaceAll(/[^\r\n]/g, " "); // Comments become blanks.
      end = token.offset + token.text.length;
      written += /^[?$]/.test(token.text) ? `<${VARIABLE}${token.text.slice(1)}>` : token.text;
      if (token.text === "}") break;
    }
    return parsePatterns(written, prologue, baseIri, () => placeOf(text, open.offset + 1));
  };

  const ground = (patterns: Pattern[], what: string, blankNodes: boolean): Pattern[] => {
    for (const { subject, predicate, object } of patterns) {
      for (const { termType } of [subject, predicate, object]) {
        if (termType === "Variable") return fail(`${what} has no variables`);
        if (termType === "BlankNode" && !blankNodes) return fail(`${what} has no blank nodes`);
      }
    }
    return patterns;
  };
  const withoutBlankNodes = (patterns: Pattern[]): Pattern[] => {
    if (
      patterns.some(
        ({ subject, object }) => subject.termType === "BlankNode" || object.termType === "BlankNode",
      )
    )
      return fail("DELETE has no blank nodes");
    return patterns;
  };

  const statement = (): PatchStep => {
    if (take("INSERT")) {
      if (take("DATA"))
        return { conditions: [], deletions: [], insertions: ground(block(), "INSERT DATA", true) };
      const insertions = block();
      if (!take("WHERE")) return fail("Here WHERE is missing");
      return { conditions: block(), deletions: [], insertions };
    }
    if (!take("DELETE")) return fail(REFUSED);
    if (take("DATA"))
      return { conditions: [], deletions: ground(block(), "DELETE DATA", false), insertions: [] };
    if (take("WHERE")) {
      const conditions = withoutBlankNodes(block());
      return { conditions, deletions: conditions, insertions: [] };
    }
    const deletions = withoutBlankNodes(block());
    const insertions = take("INSERT") ? block() : [];
    if (!take("WHERE")) return fail("Here WHERE is missing");
    return { conditions: block(), deletions, insertions };
  };

  for (;;) {
    for (;;) {
      if (take("PREFIX")) prologue += `PREFIX ${expect("prefix", "a prefix").text} ${address()} `;
      else if (take("BASE")) prologue += `BASE ${address()} `;
      else break;
    }
    if (next >= tokens.length) return steps;
    if (steps.length >= STATEMENTS_MAX) fail(`A patch has at most ${STATEMENTS_MAX} statements`);
    steps.push(statement());
    if (next >= tokens.length) return steps;
    if (tokens[next]?.text !== ";") fail("Between two statements stands a ;");
    next++;
  }
}
