/**
 * Regular expressions whose time grows with the text only. A pattern becomes a program of states. Whether it matches is
 * decided by sets of states, each made when it is first reached and then only looked up (a lazy deterministic automaton);
 * what its groups hold, by walking through all states at once, the preferred ones first.
 */
import type { Control } from "./contract.ts";
import { compileProgram, type Program } from "./regex-program.ts";
import { isNewline, isWord, type Node, type Place, parseSyntax, type Syntax } from "./regex-syntax.ts";
import { TEXT_LENGTH_MAX } from "./values.ts";

export interface Regex {
  /** Whether the text holds a match. */
  test(text: string, control: Control): boolean;
  /**
   * All matches replaced; `$1` is what the first group held.
   * @returns null for a pattern that matches the empty text, or a replacement that is none.
   * https://www.w3.org/TR/xpath-functions/#func-replace
   */
  replace(text: string, replacement: string, control: Control): string | null;
}

/** Sets of states that are remembered; then they are made anew. */
const SETS_MAX = 2_000;
const CHARACTERS_MAX = 65_536;
const STEPS_PER_CHECK = 4_096;

/** What stands before a place; numbers, for they are part of a set's key. */
const NOTHING = 0;
const LINE_END = 1;
const WORD = 2;
const OTHER = 3;

const contextOf = (codePoint: number): number =>
  isNewline(codePoint) ? LINE_END : isWord(codePoint) ? WORD : OTHER;

/** @param before Contexts of the characters around; `NOTHING` at the ends of the text. */
function holdsAt(place: Place, before: number, after: number, multiline: boolean): boolean {
  switch (place) {
    case "start":
      return before === NOTHING || (multiline && before === LINE_END);
    case "end":
      return after === NOTHING || (multiline && after === LINE_END);
    case "boundary":
      return (before === WORD) !== (after === WORD);
    default:
      return (before === WORD) === (after === WORD);
  }
}

/** Characters that all sets of the pattern treat alike. */
interface CharacterClass {
  readonly number: number;
  readonly context: number;
  /** By the number of a set. */
  readonly isIn: readonly boolean[];
}

/** States that may be reached at one place, before what needs no character is followed. */
interface StateSet {
  readonly states: readonly number[];
  readonly before: number;
  /** By the number of the next character's class; `null` is a match. */
  readonly next: (StateSet | null | undefined)[];
  /** At the end of the text. */
  matchesAtEnd: boolean | undefined;
}

function createAutomaton({ states, sets, multiline, isAnchored }: Program) {
  const classes = new Map<string, CharacterClass>();
  const ascii: (CharacterClass | undefined)[] = Array.from({ length: 128 });
  let others = new Map<number, CharacterClass>();
  const hasPlaces = states.some(({ kind }) => kind === "place");
  let known = new Map<string, StateSet>();
  const seen = new Int32Array(states.length);
  let mark = 0;

  function classOf(codePoint: number): CharacterClass {
    const cached = codePoint < 128 ? ascii[codePoint] : others.get(codePoint);
    if (cached) return cached;
    const isIn = sets.map((set) => set.has(codePoint));
    const context = hasPlaces ? contextOf(codePoint) : OTHER;
    const key = isIn.map(Number).join("") + context;
    let found = classes.get(key);
    if (!found) classes.set(key, (found = { number: classes.size, context, isIn }));
    if (codePoint < 128) ascii[codePoint] = found;
    else {
      if (others.size >= CHARACTERS_MAX) others = new Map();
      others.set(codePoint, found);
    }
    return found;
  }

  function stateSet(list: number[], before: number): StateSet {
    const key = `${before} ${list.join(" ")}`;
    let found = known.get(key);
    if (!found) {
      if (known.size >= SETS_MAX) known = new Map();
      known.set(key, (found = { states: list, before, next: [], matchesAtEnd: undefined }));
    }
    return found;
  }

  /** What needs a character, from these states or from the beginning; null when one is a match. */
  function follow({ states: from, before }: StateSet, after: number): number[] | null {
    mark++;
    const stack = isAnchored && before !== NOTHING ? [...from] : [...from, 0];
    const reached: number[] = [];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen[at] === mark) continue;
      seen[at] = mark;
      const state = states[at]!;
      if (state.kind === "match") return null;
      if (state.kind === "set") reached.push(at);
      else if (state.kind === "split") stack.push(state.second, state.first);
      else if (state.kind === "save" || holdsAt(state.place, before, after, multiline)) stack.push(at + 1);
    }
    return reached;
  }

  function step(current: StateSet, character: CharacterClass, control: Control): StateSet | null {
    control.check();
    const reached = follow(current, hasPlaces ? character.context : OTHER);
    if (reached === null) return null;
    const list: number[] = [];
    mark++;
    for (const at of reached) {
      const state = states[at]!;
      if (state.kind !== "set" || !character.isIn[state.set] || seen[at + 1] === mark) continue;
      seen[at + 1] = mark;
      list.push(at + 1);
    }
    return stateSet(
      list.sort((a, b) => a - b),
      hasPlaces || isAnchored ? character.context : OTHER,
    );
  }

  return (text: string, control: Control): boolean => {
    let current = stateSet([], NOTHING);
    for (let at = 0; at < text.length; at++) {
      let code = text.charCodeAt(at);
      let character: CharacterClass | undefined;
      if (code < 128) character = ascii[code] ?? classOf(code);
      else {
        if (code >= 0xd800 && code <= 0xdbff) {
          code = text.codePointAt(at)!;
          if (code > 0xffff) at++;
        }
        character = classOf(code);
      }
      let next = current.next[character.number];
      if (next === undefined) current.next[character.number] = next = step(current, character, control);
      if (next === null) return true;
      if (isAnchored && next.states.length === 0) return false;
      current = next;
      if ((at & (STEPS_PER_CHECK - 1)) === 0) control.check();
    }
    return (current.matchesAtEnd ??= follow(current, NOTHING) === null);
  };
}

/** Where a match and its groups begin and end: pairs of places, -1 for a group that took no part. */
type Slots = readonly number[];

function createSearch({ states, sets, groups, multiline, isAnchored }: Program) {
  const seen = new Int32Array(states.length).fill(-1);
  const none: Slots = Array.from({ length: 2 * (groups + 1) }, () => -1);

  /** The leftmost match at or after `from`, and of those the preferred one. */
  return (text: string, from: number, control: Control): Slots | null => {
    seen.fill(-1);
    let current: { readonly at: number; readonly slots: Slots }[] = [];
    let found: Slots | null = null;
    let steps = 0;
    const contextAt = (place: number): number => {
      if (place < 0 || place >= text.length) return NOTHING;
      const code = text.charCodeAt(place);
      const isSecond = code >= 0xdc00 && code <= 0xdfff && place > 0;
      return contextOf(isSecond ? text.codePointAt(place - 1)! : text.codePointAt(place)!);
    };
    /** Follows what needs no character. @returns whether it came to a match, which ends what is less preferred. */
    const enter = (start: number, slots: Slots, place: number, into: typeof current): boolean => {
      const stack = [{ at: start, slots }];
      for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
        const { at, slots: held } = top;
        if (seen[at] === place) continue;
        seen[at] = place;
        if ((++steps & (STEPS_PER_CHECK - 1)) === 0) control.check();
        const state = states[at]!;
        switch (state.kind) {
          case "match":
            found = held.with(1, place);
            return true;
          case "set":
            into.push({ at, slots: held });
            break;
          case "split":
            stack.push({ at: state.second, slots: held }, { at: state.first, slots: held });
            break;
          case "save":
            stack.push({ at: at + 1, slots: held.with(state.slot, place) });
            break;
          case "place":
            if (holdsAt(state.place, contextAt(place - 1), contextAt(place), multiline))
              stack.push({ at: at + 1, slots: held });
        }
      }
      return false;
    };
    for (let place = from; ; ) {
      if (found === null && (!isAnchored || place === 0)) enter(0, none.with(0, place), place, current);
      if (place >= text.length || (current.length === 0 && (found !== null || isAnchored))) return found;
      const code = text.codePointAt(place)!;
      const after = place + (code > 0xffff ? 2 : 1);
      const following: typeof current = [];
      const isIn: (boolean | undefined)[] = [];
      for (const { at, slots } of current) {
        const state = states[at]!;
        if (state.kind !== "set") continue;
        if ((isIn[state.set] ??= sets[state.set]!.has(code)) && enter(at + 1, slots, after, following)) break;
      }
      current = following;
      place = after;
    }
  };
}

/** @returns pieces of text, and numbers of groups; null for what is none. */
function parseReplacement(replacement: string, groups: number): readonly (string | number)[] | null {
  const pieces: (string | number)[] = [];
  for (let at = 0; at < replacement.length; ) {
    const rest = replacement.slice(at, at + 64);
    const plain = /^[^\\$]+/.exec(rest)?.[0];
    const escaped = /^\\([\\$])/.exec(rest)?.[1];
    let digits = /^\$(\d+)/.exec(rest)?.[1];
    if (plain !== undefined) pieces.push(plain);
    else if (escaped !== undefined) pieces.push(escaped);
    else if (digits === undefined) return null;
    if (digits !== undefined) {
      // As many digits as there are groups for; what is left is text.
      while (digits.length > 1 && Number(digits) > groups) digits = digits.slice(0, -1);
      pieces.push(Number(digits));
    }
    at += plain?.length ?? (escaped === undefined ? 1 + (digits?.length ?? 0) : 2);
  }
  return pieces;
}

/** A pattern that is nothing but characters: what it means can be said without states. */
function literalTest({ root }: Syntax): ((text: string) => boolean) | null {
  const parts = root.kind === "sequence" ? [...root.parts] : [root];
  const isPlace = (node: Node | undefined, place: Place): boolean =>
    node?.kind === "place" && node.place === place;
  const isStart = isPlace(parts[0], "start");
  if (isStart) parts.shift();
  const isEnd = isPlace(parts.at(-1), "end");
  if (isEnd) parts.pop();
  let literal = "";
  for (const part of parts) {
    if (part.kind !== "set" || part.literal === null) return null;
    literal += part.literal;
  }
  if (isStart) return isEnd ? (text) => text === literal : (text) => text.startsWith(literal);
  return isEnd ? (text) => text.endsWith(literal) : (text) => text.includes(literal);
}

/**
 * @param flags Any of `s`, `m`, `i`, `x`, `q`.
 * @returns null for what is no regular expression, or needs too many states.
 */
export function compileRegex(pattern: string, flags: string): Regex | null {
  const parsed = parseSyntax(pattern, flags);
  if (!parsed) return null;
  const { multiline } = parsed.flags;
  const program = compileProgram(parsed.syntax, multiline);
  if (!program) return null;
  const literal = multiline ? null : literalTest(parsed.syntax);
  let automaton: ReturnType<typeof createAutomaton> | null = null;
  let search: ReturnType<typeof createSearch> | null = null;
  const test: Regex["test"] = (text, control) =>
    literal ? literal(text) : (automaton ??= createAutomaton(program))(text, control);

  return {
    test,
    replace(text, replacement, control) {
      if (test("", control)) return null;
      const pieces = flags.includes("q") ? [replacement] : parseReplacement(replacement, program.groups);
      if (pieces === null) return null;
      if (!test(text, control)) return text;
      search ??= createSearch(program);
      let result = "";
      let kept = 0;
      for (let from = 0; from <= text.length; ) {
        const slots = search(text, from, control);
        if (slots === null) break;
        const [start, end] = [slots[0]!, slots[1]!];
        result += text.slice(kept, start);
        for (const piece of pieces) {
          if (typeof piece === "string") result += piece;
          else if ((slots[2 * piece] ?? -1) >= 0 && slots[2 * piece + 1]! >= 0)
            result += text.slice(slots[2 * piece], slots[2 * piece + 1]);
        }
        if (result.length > TEXT_LENGTH_MAX) return null;
        kept = end;
        from = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
      }
      return result + text.slice(kept);
    },
  };
}
