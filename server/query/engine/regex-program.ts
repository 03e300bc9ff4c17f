/** A regular expression as a program of states, its repetitions written out. */
import type { CharacterSet, Node, Place, Syntax } from "./regex-syntax.ts";

/** Each state can cost a step per character. */
const STATES_MAX = 2_000;

type State =
  | { readonly kind: "set"; readonly set: number }
  | { readonly kind: "split"; first: number; second: number }
  | { readonly kind: "save"; readonly slot: number }
  | { readonly kind: "place"; readonly place: Place }
  | { readonly kind: "match" };

export interface Program {
  readonly states: readonly State[];
  readonly sets: readonly CharacterSet[];
  readonly groups: number;
  readonly multiline: boolean;
  /** A match can only be at the beginning of the text. */
  readonly isAnchored: boolean;
}

/** @returns null when there are too many states. */
export function compileProgram({ root, groups }: Syntax, multiline: boolean): Program | null {
  const states: State[] = [];
  const sets: CharacterSet[] = [];
  const numbers = new Map<string, number>();
  let emitted = 0;
  const add = <S extends State>(state: S): S => {
    states.push(state);
    return state;
  };
  const numberOf = (set: CharacterSet): number => {
    let number = numbers.get(set.key);
    if (number === undefined) numbers.set(set.key, (number = sets.push(set) - 1));
    return number;
  };
  const split = (isLazy: boolean) => {
    const at = states.length;
    const state = add({ kind: "split" as const, first: at + 1, second: at + 1 });
    return (target: number): void => {
      if (isLazy) state.first = target;
      else state.second = target;
    };
  };
  const jump = (target: number): void => void add({ kind: "split", first: target, second: target });
  /** What follows a node's states is the next one that is added. @returns false when there are too many. */
  function emit(node: Node): boolean {
    if (++emitted > 10 * STATES_MAX || states.length > STATES_MAX) return false;
    switch (node.kind) {
      case "set":
        add({ kind: "set", set: numberOf(node.set) });
        return true;
      case "place":
        add({ kind: "place", place: node.place });
        return true;
      case "sequence":
        return node.parts.every(emit);
      case "choice":
        return emitChoice(node.parts, 0);
      case "group": {
        add({ kind: "save", slot: 2 * node.number });
        const isDone = emit(node.part);
        add({ kind: "save", slot: 2 * node.number + 1 });
        return isDone;
      }
      default:
        return emitRepeat(node);
    }
  }
  function emitChoice(parts: readonly Node[], at: number): boolean {
    if (at === parts.length - 1) return emit(parts[at]!);
    const other = split(false);
    if (!emit(parts[at]!)) return false;
    const end = add({ kind: "split", first: 0, second: 0 });
    other(states.length);
    if (!emitChoice(parts, at + 1)) return false;
    end.first = end.second = states.length;
    return true;
  }
  function emitRepeat({ part, least, most, isLazy }: Extract<Node, { kind: "repeat" }>): boolean {
    for (let count = 0; count < least; count++) if (!emit(part)) return false;
    if (most === Number.POSITIVE_INFINITY) {
      const loop = states.length;
      const leave = split(isLazy);
      if (!emit(part)) return false;
      jump(loop);
      leave(states.length);
      return true;
    }
    const ways: ((target: number) => void)[] = [];
    for (let count = least; count < most; count++) {
      ways.push(split(isLazy));
      if (!emit(part)) return false;
    }
    for (const leave of ways) leave(states.length);
    return true;
  }
  if (!emit(root)) return null;
  add({ kind: "match" });
  const first = root.kind === "sequence" ? root.parts[0] : root;
  const isAnchored = !multiline && first?.kind === "place" && first.place === "start";
  return { states, sets, groups, multiline, isAnchored };
}
