/**
 * Sums of floats and doubles that are the same in whatever order the numbers come: the exact sum, rounded once. (Added
 * one after the other, the last digits would tell in which order rows came.)
 */

/** From here on numbers are added up apart, made smaller, so that nothing overflows on the way. */
const LARGE = 2 ** 900;
const SHRINK = 2 ** -400;

/**
 * The sum as numbers that do not overlap, smallest first: what is lost in each addition is kept.
 * J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997: https://doi.org/10.1007/PL00009321
 */
class Parts {
  #parts: number[] = [];

  add(value: number): void {
    let rest = value;
    let kept = 0;
    for (const part of this.#parts) {
      const [large, small] = Math.abs(rest) < Math.abs(part) ? [part, rest] : [rest, part];
      const sum = large + small;
      const lost = small - (sum - large);
      if (lost !== 0) this.#parts[kept++] = lost;
      rest = sum;
    }
    this.#parts.length = kept;
    this.#parts.push(rest);
  }

  total(): number {
    const parts = this.#parts;
    let at = parts.length;
    let sum = 0;
    let lost = 0;
    while (at > 0 && lost === 0) {
      const before = sum;
      const part = parts[--at]!;
      sum = before + part;
      lost = part - (sum - before);
    }
    // Half way between two numbers, what is left decides.
    const next = at > 0 ? parts[at - 1]! : 0;
    if ((lost < 0 && next < 0) || (lost > 0 && next > 0)) {
      const doubled = lost * 2;
      const rounded = sum + doubled;
      if (doubled === rounded - sum) return rounded;
    }
    return sum;
  }
}

export class DoubleSum {
  readonly #usual = new Parts();
  readonly #large = new Parts();
  /** Infinities, and what comes of them. */
  #special = 0;
  #isNegativeZero = true;

  add(value: number): void {
    if (!Object.is(value, -0)) this.#isNegativeZero = false;
    if (!Number.isFinite(value)) this.#special += value;
    else if (Math.abs(value) >= LARGE) this.#large.add(value * SHRINK);
    else if (value !== 0) this.#usual.add(value);
  }

  total(): number {
    if (this.#special !== 0) return this.#special; // NaN is not 0 either.
    if (this.#isNegativeZero) return -0;
    return this.#large.total() / SHRINK + this.#usual.total();
  }
}
