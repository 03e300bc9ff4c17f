/** A batch of observations becomes pages: one commit, one entry of the journal, and of a batch that is sent again nothing. */
import { frozenIn } from "../access/restriction.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { StreamPage } from "../store/record.ts";
import type { Transaction } from "../store/store.ts";
import type { Observation } from "./observation.ts";
import { type Columns, type Draft, draftPage } from "./page.ts";
import { monthOf, monthsOf, type Page, pageName, pagesOf } from "./stream.ts";

/** What a commit may do to the documents of a pod. */
export interface PageEdit {
  readonly transaction: Transaction;
  /** Folders that were made because something was put into them. */
  readonly made: readonly string[];
  /** Stores a page; of a page nothing is kept of what it was, for it only grows. */
  put(path: string, bytes: Uint8Array, page: StreamPage): Promise<void>;
  /** Away with it, for good. */
  remove(path: string): Promise<void>;
}

export interface Appended {
  readonly stored: number;
  /** Those that were there already; for who may not read, with those that came too late. */
  readonly repeated: number;
  /** Paths of pages that were written. */
  readonly pages: readonly string[];
  readonly bytes: number;
}

type Read = (transaction: Transaction, page: Page) => Promise<Columns>;

const keyOf = (time: number, value: number, sensor: string, property: string): string =>
  `${time} ${value} ${sensor} ${property}`;

/** The last page of a stream with something in it, and where its observations end. */
async function lastPage(transaction: Transaction, folder: string, read: Read) {
  for (const month of [...(await monthsOf(transaction, folder))].reverse()) {
    for (const page of [...(await pagesOf(transaction, folder, month))].reverse()) {
      if (page.record.page) return { page, newest: page.record.page.last };
      const { times, count } = await read(transaction, page);
      if (count > 0) return { page, newest: times[count - 1] ?? -Infinity };
    }
  }
  return null;
}

/** Whatever is in the stream from a time on, to tell what was sent before. */
async function presentFrom(
  transaction: Transaction,
  folder: string,
  from: number,
  read: Read,
): Promise<ReadonlySet<string>> {
  const present = new Set<string>();
  for (const month of await monthsOf(transaction, folder)) {
    if (month < monthOf(from)) continue;
    for (const page of await pagesOf(transaction, folder, month)) {
      if (page.record.page && page.record.page.last < from) continue;
      const { count, times, values, sensors, properties, sensorNames, propertyNames } = await read(
        transaction,
        page,
      );
      for (let row = 0; row < count; row += 1)
        present.add(
          keyOf(
            times[row] ?? 0,
            values[row] ?? 0,
            sensorNames[sensors[row] ?? 0] ?? "",
            propertyNames[properties[row] ?? 0] ?? "",
          ),
        );
    }
  }
  return present;
}

/**
 * Without those that the stream has already.
 * @throws Problem `conflict` for one that is new and earlier than the newest: a stream is in the order of time, so that
 * who has read to its end has read all. https://w3id.org/ldes#timestampPath
 */
async function newOnes(
  transaction: Transaction,
  folder: string,
  observations: readonly Observation[],
  newest: number,
  read: Read,
  mayRead: boolean,
): Promise<readonly Observation[]> {
  const first = observations[0]?.time ?? 0;
  if (first > newest) return observations;
  const present = await presentFrom(transaction, folder, first, read);
  const fresh = observations.filter(
    ({ time, value, sensor, property }) => !present.has(keyOf(time, value, sensor, property)),
  );
  const late = fresh.filter(({ time }) => time < newest).length;
  // A refusal would tell what is not there: who may only add could try out every value.
  if (!mayRead) return fresh.filter(({ time }) => time >= newest);
  if (late > 0)
    throw new Problem(
      "conflict",
      `${late} of these are earlier than what the stream has; send them to another stream`,
    );
  return fresh;
}

/**
 * @param folder Path of the stream.
 * @param observations In the order of their time.
 * @param mayRead Whether the agent may know what is there; else what comes too late is left out, as what is repeated.
 * @param mayWrite Asked for each page before it is touched; throws for one that the agent may not add to.
 */
export async function append(
  edit: PageEdit,
  folder: string,
  observations: readonly Observation[],
  { seriesPageObservationsMax, seriesPageBytesMax }: Limits,
  read: Read,
  mayRead: boolean,
  mayWrite: (path: string) => Promise<void>,
): Promise<Appended> {
  const { transaction } = edit;
  const last = await lastPage(transaction, folder, read);
  const fresh = await newOnes(transaction, folder, observations, last?.newest ?? -Infinity, read, mayRead);
  const written: string[] = [];
  let bytes = 0;

  interface Open {
    readonly path: string;
    readonly month: string;
    readonly draft: Draft;
    readonly first: number;
    last: number;
    count: number;
    size: number;
  }
  let open: Open | null = null;

  async function put(page: Open, isOpen: boolean): Promise<void> {
    const { path, draft, first, last: newest, count } = page;
    if (!isOpen) draft.close();
    const content = draft.bytes();
    bytes += content.length - page.size;
    await edit.put(path, content, { first, last: newest, count, isOpen });
    written.push(path);
  }
  async function reopen(page: Page, { first, last: newest, count }: StreamPage): Promise<Open> {
    await mayWrite(page.path);
    const body = await transaction.get("body", page.path, "");
    const before = { bytes: body?.value ?? new Uint8Array(), count };
    const month = `${page.path.split("/").at(-2)}/`;
    const size = before.bytes.length;
    return { path: page.path, month, draft: draftPage(before), first, last: newest, count, size };
  }
  async function begin(time: number): Promise<Open> {
    const month = monthOf(time);
    const inMonth = await pagesOf(transaction, folder, month);
    const name = (times: number): string => `${folder}${month}${pageName(time, times)}`;
    let times = 0;
    while (inMonth.some(({ path }) => path === name(times)) || written.includes(name(times))) times += 1;
    await mayWrite(name(times));
    return { path: name(times), month, draft: draftPage(null), first: time, last: time, count: 0, size: 0 };
  }

  const goesOn = last?.page.record.page?.isOpen === true ? last.page.record.page : null;
  if (fresh.length > 0 && last && goesOn) open = await reopen(last.page, goesOn);
  for (const observation of fresh) {
    const isFull =
      open !== null &&
      (open.month !== monthOf(observation.time) ||
        open.count >= seriesPageObservationsMax ||
        open.draft.size() >= seriesPageBytesMax);
    if (open && isFull) {
      await put(open, false);
      open = null;
    }
    open ??= await begin(observation.time);
    open.draft.add(observation);
    open.last = observation.time;
    open.count += 1;
  }
  if (open) await put(open, true);
  return { stored: fresh.length, repeated: observations.length - fresh.length, pages: written, bytes };
}

/**
 * Removes whole pages of what is no longer kept, the oldest first; none of a place that its owner has frozen, for that is
 * to stay as it is. @returns how many.
 */
export async function removeExpired(
  edit: PageEdit,
  folder: string,
  horizon: number,
  most: number,
): Promise<number> {
  let removed = 0;
  if (horizon === -Infinity || (await frozenIn(edit.transaction))(folder)) return removed;
  for (const month of await monthsOf(edit.transaction, folder)) {
    if (month > monthOf(horizon)) break;
    for (const { path, record } of await pagesOf(edit.transaction, folder, month)) {
      if (removed >= most) return removed;
      if (!record.page || record.page.last >= horizon) continue;
      await edit.remove(path);
      removed += 1;
    }
  }
  return removed;
}
