/** "Did you mean": the known word that somebody most likely meant. */

/** Letters to add, leave out, replace or swap with their neighbour until one word is the other. */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row += 1) {
    const cells = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const above = rows[row - 1]!;
      const cost = one[row - 1] === other[column - 1] ? 0 : 1;
      let least = Math.min(above[column]! + 1, cells[column - 1]! + 1, above[column - 1]! + cost);
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1])
        least = Math.min(least, rows[row - 2]![column - 2]! + 1);
      cells.push(least);
    }
    rows.push(cells);
  }
  return rows[one.length]![other.length]!;
}

const WORD_CHARS_MAX = 100; // Nobody mistypes more, and the time grows with the product of the lengths.

/** @returns the known word nearest to `word`; null when none is near enough to be a slip. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > WORD_CHARS_MAX) return null;
  const asked = word.toLowerCase();
  let best: string | null = null;
  let least = Math.max(1, Math.floor(asked.length / 3)) + 1;
  for (const one of known) {
    const far = distance(asked, one.toLowerCase());
    if (far < least) [best, least] = [one, far];
  }
  return best;
}

/** ` Did you mean X?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = nearest(word, known);
  return near === null ? "" : ` Did you mean ${near}?`;
}
