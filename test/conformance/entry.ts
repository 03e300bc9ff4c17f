/** What a row of the conformance table is, and the few words in which the rows are written. */

export type Status = "met" | "not applicable" | "not met";

export interface NamedTest {
  /** From the project's folder, such as `test/ldp/protocol.test.ts`. */
  readonly file: string;
  /** With the titles of all suites around it, as mocha writes it. */
  readonly title: string;
}

/** One requirement of a specification on a server. */
export interface Entry {
  /** As in the list of requirements; mostly the anchor of the clause. */
  readonly id: string;
  readonly level: string;
  /** Of the clause. */
  readonly url: string;
  readonly status: Status;
  /** Why it is not met or not applicable; of what is met, what should be known of how. Empty where nothing is to be said. */
  readonly reason: string;
  /** Which tests show it: each fails when the server stops doing it. */
  readonly tests: readonly NamedTest[];
}

export interface Section {
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** Names tests of one suite. */
export type Suite = (...titles: readonly string[]) => readonly NamedTest[];

/** @param suite Titles of the suites that all of them are in. */
export function suiteOf(file: string, suite: string): Suite {
  return (...titles) => titles.map((title) => ({ file, title: `${suite} ${title}` }));
}

type Tests = readonly (readonly NamedTest[])[];

/** Rows of one specification: each is at the anchor of its id unless it says `at`. */
export interface Writer {
  readonly met: (id: string, level: string, ...tests: Tests) => Entry;
  readonly notApplicable: (id: string, level: string, reason: string, ...tests: Tests) => Entry;
  readonly notMet: (id: string, level: string, reason: string, ...tests: Tests) => Entry;
}

/** @param urlOf Where the clause of an id stands. */
export function rowsOf(urlOf: (id: string) => string): Writer {
  const entry = (id: string, level: string, status: Status, reason: string, tests: Tests): Entry => ({
    id,
    level,
    url: urlOf(id),
    status,
    reason,
    tests: tests.flat(),
  });
  return {
    met: (id, level, ...tests) => entry(id, level, "met", "", tests),
    notApplicable: (id, level, reason, ...tests) => entry(id, level, "not applicable", reason, tests),
    notMet: (id, level, reason, ...tests) => entry(id, level, "not met", reason, tests),
  };
}

/** A row whose clause has no anchor of its own, or whose reader should know something. */
export const withUrl = (url: string, entry: Entry): Entry => ({ ...entry, url });
export const withNote = (reason: string, entry: Entry): Entry => ({ ...entry, reason });
