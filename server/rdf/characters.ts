/** What each character may be part of in Turtle: one look-up a character. https://www.w3.org/TR/turtle/#sec-grammar-grammar */

/** PN_CHARS_BASE: begins a prefix. */
export const BASE = 1;
/** PN_CHARS_U or a digit: begins a label, or, as `:` does, a local name. */
export const START = 2;
/** PN_CHARS. */
export const NAME = 4;
/** Of an address as it is, between its brackets. */
export const IRI = 8;
/** Needs a second look in a string: a quote, a backslash, the end of a line. */
export const STOP = 16;
export const DIGIT = 32;
export const HEX = 64;
export const LETTER = 128; // Of a language tag.

/**
 * By UTF-16 unit. Both halves of a character from U+10000 to U+EFFFF count as a letter of a name: in a text that is well
 * formed a second half never comes alone.
 */
export const CLASS: Uint8Array = new Uint8Array(0x1_00_00);

function mark(flags: number, ...ranges: readonly (readonly [number, number])[]): void {
  for (const [first, last] of ranges) for (let code = first; code <= last; code++) CLASS[code]! |= flags;
}

// biome-ignore format: as in the grammar
mark(BASE | START | NAME, [0x41, 0x5a], [0x61, 0x7a], [0xc0, 0xd6], [0xd8, 0xf6], [0xf8, 0x2ff], [0x370, 0x37d],
  [0x37f, 0x1fff], [0x200c, 0x200d], [0x2070, 0x218f], [0x2c00, 0x2fef], [0x3001, 0xd7ff], [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd], [0xd800, 0xdb7f], [0xdc00, 0xdfff]);
mark(START | NAME, [0x5f, 0x5f], [0x30, 0x39]);
mark(NAME, [0x2d, 0x2d], [0xb7, 0xb7], [0x300, 0x36f], [0x203f, 0x2040]);
mark(IRI, [0x21, 0xffff]);
for (const char of '<>"{}|^`\\') CLASS[char.charCodeAt(0)]! &= ~IRI;
for (const char of "\"'\\\n\r") mark(STOP, [char.charCodeAt(0), char.charCodeAt(0)]);
mark(DIGIT | HEX, [0x30, 0x39]);
mark(HEX, [0x41, 0x46], [0x61, 0x66]);
mark(LETTER, [0x41, 0x5a], [0x61, 0x7a]);

// biome-ignore format: a table
/** `END` is what comes after the last character; a NUL in a text can begin nothing either. */
export const CHAR = {
  END: 0, TAB: 0x09, LF: 0x0a, CR: 0x0d, SPACE: 0x20, QUOTE: 0x22, HASH: 0x23, PERCENT: 0x25, APOSTROPHE: 0x27,
  OPEN_LIST: 0x28, CLOSE_LIST: 0x29, PLUS: 0x2b, COMMA: 0x2c, MINUS: 0x2d, DOT: 0x2e, COLON: 0x3a, SEMICOLON: 0x3b,
  OPEN_IRI: 0x3c, CLOSE_IRI: 0x3e, AT: 0x40, OPEN_NODE: 0x5b, BACKSLASH: 0x5c, CLOSE_NODE: 0x5d, CARET: 0x5e,
  UNDERSCORE: 0x5f, LOWER_A: 0x61, LOWER_U: 0x75, UPPER_U: 0x55,
} as const;
