/**
 * Regular expressions whose cost grows only with the text: `sh:pattern` comes from whoever wrote the shape, and a
 * backtracking engine can be kept busy for hours by twenty characters. Patterns become a set of states that is
 * walked through once per character. What cannot be done that way (look-around, back-references) is refused.
 * The language is what XPath and JavaScript share. https://www.w3.org/TR/shacl/#PatternConstraintComponent
 */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";

/** Whether a text holds a match. @param spend Told of each step. */
export type Matcher = (text: string, spend: (steps?: number) => void) => boolean;

type Test = (character: string) => boolean;
type Node =
  | { readonly kind: "character"; readonly test: Test }
  | { readonly kind: "start" | "end" | "boundary" | "inside" }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; readonly most: number };

type State =
  | { readonly kind: "character"; readonly test: Test; next: number }
  | { readonly kind: "start" | "end" | "boundary" | "inside"; next: number }
  | { readonly kind: "split"; next: number; other: number }
  | { readonly kind: "match" };

function refuse(pattern: string, why: string): never {
  throw new Problem(
    "shape-invalid",
    `The pattern ${JSON.stringify(pattern.slice(0, 80))} cannot be used: ${why}`,
  );
}

const SYNTAX = /[\^$\\.*+?()[\]{}|/]/;
const isWord = (character: string | undefined): boolean =>
  character !== undefined && /^[A-Za-z0-9_]$/.test(character);
const isBreak = (character: string | undefined): boolean =>
  character !== undefined && /^[\n\r\u2028\u2029]$/.test(character);

class PatternParser {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  readonly #ignoreCase: boolean;
  readonly #dotAll: boolean;
  #at = 0;

  constructor(pattern: string, flags: string) {
    this.#pattern = pattern;
    this.#characters = Array.from(pattern);
    this.#ignoreCase = flags.includes("i");
    this.#dotAll = flags.includes("s");
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#characters.length) this.#refuse("a closing parenthesis without an opening one");
    return node;
  }

  #refuse(why: string): never {
    refuse(this.#pattern, why);
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(expected: string): boolean {
    if (this.#peek() !== expected) return false;
    this.#at++;
    return true;
  }

  #choice(): Node {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return { kind: "choice", parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #repeated(part: Node): Node {
    const range = this.#range();
    if (!range) return part;
    this.#take("?"); // Lazy: finds another match, but whether there is one is the same.
    if (this.#range()) this.#refuse("a repetition of a repetition");
    const isPlace =
      part.kind === "start" || part.kind === "end" || part.kind === "boundary" || part.kind === "inside";
    if (isPlace) this.#refuse("a repetition of a place");
    return { kind: "repeat", part, least: range[0], most: range[1] };
  }

  #range(): readonly [least: number, most: number] | null {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    if (this.#peek() !== "{") return null;
    const text = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.#characters.slice(this.#at, this.#at + 11).join(""));
    if (!text) this.#refuse("a brace that is no repetition such as {2,5}");
    this.#at += text[0].length;
    const least = Number(text[1]);
    const most = text[2] === "" ? least : text[3] === "" ? Number.POSITIVE_INFINITY : Number(text[3]);
    if (most < least) this.#refuse("a repetition whose end is before its start");
    return [least, most];
  }

  #atom(): Node {
    const character = this.#characters[this.#at++]!;
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
      case ".":
        return { kind: "character", test: this.#dotAll ? () => true : (found) => !isBreak(found) };
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "*":
      case "+":
      case "?":
        return this.#refuse("a repetition of nothing");
      case "{":
      case "}":
      case "]":
        return this.#refuse(
          "a bracket without its other half; write a backslash before it if it stands for itself",
        );
      default:
        return this.#literal(character);
    }
  }

  #group(): Node {
    if (this.#take("?") && !this.#take(":"))
      this.#refuse("look-around, named groups and inline flags are not supported");
    const node = this.#choice();
    if (!this.#take(")")) this.#refuse("a parenthesis that is not closed");
    return node;
  }

  #literal(character: string): Node {
    if (!this.#ignoreCase) return { kind: "character", test: (found) => found === character };
    return this.#native(SYNTAX.test(character) ? `\\${character}` : character);
  }

  /** One character, decided by the language's own engine: it cannot take long over one. */
  #native(source: string): Node {
    let expression: RegExp;
    try {
      expression = new RegExp(`^${source}$`, this.#ignoreCase ? "isu" : "su");
    } catch (cause) {
      throw new Problem(
        "shape-invalid",
        `The pattern ${JSON.stringify(this.#pattern.slice(0, 80))} cannot be used: ${source} is not understood`,
        { cause },
      );
    }
    const known = new Map<string, boolean>(); // Of ASCII, which most texts are.
    const test: Test = (found) => {
      if (found > "\u007f") return expression.test(found);
      let fits = known.get(found);
      if (fits === undefined) known.set(found, (fits = expression.test(found)));
      return fits;
    };
    return { kind: "character", test };
  }

  #escape(): Node {
    const rest = this.#characters.slice(this.#at, this.#at + 64).join("");
    const escaped = /^(?:[dDwWsStnrfv]|[pP]\{[A-Za-z_=]{1,60}\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})/.exec(
      rest,
    )?.[0];
    if (escaped !== undefined) {
      this.#at += escaped.length;
      return this.#native(`\\${escaped}`);
    }
    if (this.#take("b")) return { kind: "boundary" };
    if (this.#take("B")) return { kind: "inside" };
    const character = this.#characters[this.#at++];
    if (character === undefined) this.#refuse("it ends with a backslash");
    if (/^[1-9k]$/.test(character)) this.#refuse("back-references are not supported");
    if (/^[A-Za-z0-9]$/.test(character)) this.#refuse(`\\${character} is not supported`);
    return this.#literal(character);
  }

  #class(): Node {
    let source = "[";
    if (this.#take("^")) source += "^";
    for (;;) {
      const character = this.#characters[this.#at++];
      if (character === undefined) this.#refuse("a bracket that is not closed");
      if (character === "]") break;
      if (character === "[") this.#refuse("a class within a class");
      if (character !== "\\") {
        source += character;
        continue;
      }
      const escaped = this.#characters[this.#at++];
      if (escaped === undefined) this.#refuse("a bracket that is not closed");
      source +=
        /^[A-Za-z0-9]$/.test(escaped) || SYNTAX.test(escaped) || escaped === "-" ? `\\${escaped}` : escaped;
    }
    return this.#native(`${source}]`);
  }
}

/** The pattern's states; the last one is the match. */
function compile(pattern: string, root: Node, statesMax: number): readonly State[] {
  const states: State[] = [];
  const add = <S extends State>(state: S): S => {
    if (states.length >= statesMax)
      refuse(pattern, `it has more than ${statesMax} states when its repetitions are written out`);
    states.push(state);
    return state;
  };
  let emitted = 0;
  /** Each node's states lead to whatever is added next. */
  function emit(node: Node): void {
    // Repetitions of nothing add no state, and could go on for ever.
    if (++emitted > 10 * statesMax) refuse(pattern, "its repetitions are too many");
    switch (node.kind) {
      case "sequence":
        node.parts.forEach(emit);
        return;
      case "choice":
        emitChoice(node.parts);
        return;
      case "repeat":
        emitRepeat(node);
        return;
      default:
        add({ ...node, next: states.length + 1 });
    }
  }
  function emitChoice([first, ...others]: readonly Node[]): void {
    if (!first) return;
    if (others.length === 0) {
      emit(first);
      return;
    }
    const split = add({ kind: "split", next: states.length + 1, other: 0 });
    emit(first);
    const jump = add({ kind: "split", next: 0, other: 0 });
    split.other = states.length;
    emitChoice(others);
    jump.next = jump.other = states.length;
  }
  function emitRepeat({ part, least, most }: Extract<Node, { kind: "repeat" }>): void {
    for (let count = 0; count < least; count++) emit(part);
    if (most === Number.POSITIVE_INFINITY) {
      const at = states.length;
      const loop = add({ kind: "split", next: at + 1, other: 0 });
      emit(part);
      add({ kind: "split", next: at, other: at });
      loop.other = states.length;
      return;
    }
    const ways: { other: number }[] = [];
    for (let count = least; count < most; count++) {
      ways.push(add({ kind: "split", next: states.length + 1, other: 0 }));
      emit(part);
    }
    for (const way of ways) way.other = states.length;
  }
  emit(root);
  add({ kind: "match" });
  return states;
}

function holdsAt(
  kind: "start" | "end" | "boundary" | "inside",
  before: string | undefined,
  after: string | undefined,
  multiline: boolean,
): boolean {
  switch (kind) {
    case "start":
      return before === undefined || (multiline && isBreak(before));
    case "end":
      return after === undefined || (multiline && isBreak(after));
    default:
      return (isWord(before) !== isWord(after)) === (kind === "boundary");
  }
}

/**
 * @param flags Of `i`, `s`, `m`, each at most once.
 * @throws Problem `shape-invalid` for a pattern that is too long, or that needs what is not supported.
 */
export function compilePattern(pattern: string, flags: string, limits: Limits): Matcher {
  if (pattern.length > limits.shapePatternLengthMax)
    refuse(pattern, `it has more than ${limits.shapePatternLengthMax} characters`);
  if (!/^[ism]{0,3}$/.test(flags)) refuse(pattern, "only the flags i, s and m are supported");
  const states = compile(pattern, new PatternParser(pattern, flags).parse(), limits.shapePatternStatesMax);
  const multiline = flags.includes("m");
  const matched = states.length - 1;

  return (text, spend) => {
    const characters = Array.from(text);
    const seen = new Int32Array(states.length).fill(-1); // The position at which a state was last entered.
    let current: number[] = [];
    /** Follows what needs no character. An explicit stack: a pattern may nest deeper than the machine's. */
    const enter = (from: number, position: number, into: number[]): boolean => {
      const stack = [from];
      for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
        if (seen[index] === position) continue;
        seen[index] = position;
        spend();
        const state = states[index]!;
        if (state.kind === "match") return true;
        if (state.kind === "character") into.push(index);
        else if (state.kind === "split") stack.push(state.other, state.next);
        else if (holdsAt(state.kind, characters[position - 1], characters[position], multiline))
          stack.push(state.next);
      }
      return seen[matched] === position;
    };
    for (let position = 0; position <= characters.length; position++) {
      if (enter(0, position, current)) return true; // A match may begin anywhere.
      const character = characters[position];
      if (character === undefined) return false;
      const following: number[] = [];
      for (const index of current) {
        const state = states[index]!;
        spend();
        if (state.kind === "character" && state.test(character) && enter(state.next, position + 1, following))
          return true;
      }
      current = following;
    }
    return false;
  };
}
