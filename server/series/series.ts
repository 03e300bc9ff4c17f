/**
 * Time series: `{pod}/.series/{folder}/`. A POST adds a batch of observations to the stream in that folder, a GET shows
 * it: as a Linked Data Event Stream, or what was observed between two times. What is stored are ordinary documents, under
 * the rules of their folders: whoever may read a page reads it here, by its own address, and in queries.
 */
import { createHash } from "node:crypto";
import type { PathReader } from "../access/authorize.ts";
import { type Authority, demandAll, extentWith, forPurpose, together } from "../access/demand.ts";
import { frozenIn } from "../access/restriction.ts";
import { json, readBody } from "../body.ts";
import { Problem } from "../errors.ts";
import { parentOf, parseTarget } from "../iri.ts";
import { Lru } from "../lru.ts";
import type { Agent, Extent, Mode, Operation, Result } from "../operation.ts";
import { mediaTypeOf, negotiate, RDF_TYPES } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot } from "../store/store.ts";
import { append, removeExpired } from "./append.ts";
import { isGone, nothingOf } from "./gone.ts";
import { readBatch } from "./observation.ts";
import { type Columns, readPage, scanPage } from "./page.ts";
import type { Series, SeriesDeps } from "./port.ts";
import { answerRange, parseRange, RANGE_TYPES, type Range } from "./range.ts";
import {
  boundsOf,
  descriptionOf,
  horizonOf,
  limitedStreams,
  monthsOf,
  noteStreams,
  type Page,
  pagesOf,
} from "./stream.ts";
import { createTurns } from "./turns.ts";
import { monthQuads, rootQuads, VIEW_PREFIXES } from "./view.ts";

/** Of addresses, after the pod's root. */
export const SERIES_PATH = ".series/";

const HEADERS = { "cache-control": "private, no-cache", vary: "Accept, Authorization, Origin" };

export function createSeries(deps: SeriesDeps): Series {
  const { baseUrl, limits, access } = deps;
  const origin = baseUrl.slice(0, -1);
  const inTurn = createTurns(limits);
  let remembered = new Lru<string, Columns>(limits.seriesColumnsBytesMax);

  /** `/ana/.series/home/meter/` → `/ana/home/meter/` */
  function folderOf(pod: Pod, { target }: Operation): string {
    const folder = target.path.replace(`/${pod.name}/${SERIES_PATH}`, `/${pod.name}/`);
    if (!folder.endsWith("/")) throw new Problem("bad-request", "The address of a stream ends in /");
    if (folder === `/${pod.name}/`) throw new Problem("bad-request", "A stream has a folder of its own");
    deps.checkPlace(pod, folder);
    return folder;
  }

  async function columnsOf(snapshot: Snapshot, { path, entry, record }: Page): Promise<Columns> {
    const key = `${snapshot.pod} ${path} ${entry.version}`;
    // In a transaction, what it wrote itself has no version yet.
    let columns = entry.version === 0 ? undefined : remembered.get(key);
    if (!columns) {
      const body = (await snapshot.get("body", path, ""))?.value ?? new Uint8Array();
      columns = record.page
        ? scanPage(body, record.page.count)
        : await readPage(body, record.contentType, `${origin}${path}`);
      if (entry.version > 0) remembered.set(key, columns, columns.count * 20 + 256);
    }
    return columns;
  }

  const demand = (snapshot: Snapshot, pod: Pod, agent: Agent, path: string, mode: Mode): Promise<Authority> =>
    demandAll(access, snapshot, pod, agent, [{ target: parseTarget(path), modes: [mode] }]);

  async function isThere(snapshot: Snapshot, path: string): Promise<boolean> {
    const name = path.slice((parentOf(path) ?? "").length);
    return (await snapshot.get("resource", parentOf(path) ?? "", name)) !== null;
  }

  /** Adding to a folder needs Append on it; making it, on what it is made in. https://solidproject.org/TR/wac#create-operation */
  async function demandAppend(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    folder: string,
  ): Promise<Authority> {
    const authority = await demand(snapshot, pod, agent, folder, "append");
    let nearest = folder;
    while (nearest !== `/${pod.name}/` && !(await isThere(snapshot, nearest)))
      nearest = parentOf(nearest) ?? `/${pod.name}/`;
    if (nearest === folder) return authority;
    const asker = forPurpose(agent, authority);
    return together(authority, await demand(snapshot, pod, asker, nearest, "append"));
  }

  async function reclaims(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<boolean> {
    if (agent.webid !== pod.owner) return false;
    const root = parseTarget(`/${pod.name}/`);
    return (await access.authorize(snapshot, pod, agent, root, ["write"])).kind === "granted";
  }

  function toResult(operation: Operation, contentType: string, body: Uint8Array, extent: Extent): Result {
    const etag = `"${createHash("sha256").update(contentType).update(body).digest("base64url").slice(0, 22)}"`;
    const known = operation.headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    if (known?.includes(etag) || known?.includes("*"))
      return { status: 304, headers: { ...HEADERS, etag }, body: null, extent };
    return {
      status: 200,
      headers: {
        ...HEADERS,
        etag,
        "content-type": contentType,
        "content-length": String(body.length),
      },
      body: operation.method === "HEAD" ? null : body,
      extent,
    };
  }

  function typeFor({ headers }: Operation, offered: readonly string[]): string {
    const chosen = negotiate(headers.accept, offered);
    if (chosen === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
    return chosen;
  }

  type MayRead = PathReader;

  /** Pages of a month that may be read, without those of which nothing is kept. */
  async function openPages(
    snapshot: Snapshot,
    folder: string,
    month: string,
    mayRead: MayRead,
    horizon: number,
  ): Promise<readonly Page[]> {
    const open: Page[] = [];
    for (const page of await pagesOf(snapshot, folder, month))
      if ((page.record.page?.last ?? Infinity) >= horizon && (await mayRead(page.path))) open.push(page);
    return open;
  }

  /** Pages with something of the range in them. @throws Problem `query-refused` when they are too many. */
  async function pagesIn(
    snapshot: Snapshot,
    folder: string,
    { from, to }: Range,
    mayRead: MayRead,
    horizon: number,
  ): Promise<readonly Page[]> {
    const found: Page[] = [];
    for (const month of await monthsOf(snapshot, folder)) {
      const [start, next] = boundsOf(month);
      if (next <= from || start >= to) continue;
      for (const page of await openPages(snapshot, folder, month, mayRead, horizon)) {
        const { page: holds } = page.record;
        if (!holds || (holds.last >= from && holds.first < to)) found.push(page);
      }
      if (found.length > limits.seriesRangePagesMax)
        throw new Problem("query-refused", "The range has too many pages; ask for less");
    }
    return found;
  }

  async function showRange(
    snapshot: Snapshot,
    operation: Operation,
    pages: readonly Page[],
    range: Range,
    mayRead: MayRead,
  ): Promise<Result> {
    const contentType = typeFor(operation, RANGE_TYPES);
    const found: Columns[] = [];
    let rows = 0;
    for (const page of pages) {
      const columns = await columnsOf(snapshot, page);
      found.push(columns);
      rows += columns.count;
      if (rows > limits.seriesRangeObservationsMax)
        throw new Problem(
          "query-refused",
          `A range is over at most ${limits.seriesRangeObservationsMax} observations; ask for less`,
        );
    }
    const answer = await answerRange(found, range, contentType, limits);
    return {
      status: 200,
      headers: {
        ...HEADERS,
        "content-type": contentType === "text/csv" ? "text/csv; charset=utf-8" : contentType,
      },
      body: operation.method === "HEAD" ? null : answer.body,
      extent: extentWith(mayRead, { rows: answer.rows, documents: found.length }),
    };
  }

  /** Months with a page that may be read. */
  async function openMonths(
    snapshot: Snapshot,
    folder: string,
    mayRead: MayRead,
    horizon: number,
  ): Promise<readonly string[]> {
    const months: string[] = [];
    for (const month of await monthsOf(snapshot, folder))
      if (
        boundsOf(month)[1] > horizon &&
        (await openPages(snapshot, folder, month, mayRead, horizon)).length > 0
      )
        months.push(month);
    return months;
  }

  return {
    parse(operation) {
      const parameters = new URLSearchParams(operation.query);
      const month = parameters.get("month");
      if (month === null) return { range: parseRange(parameters), month: null };
      if (!/^\d{4}-\d\d$/.test(month) || parameters.size > 1)
        throw new Problem("bad-request", "A month is named like this: ?month=2026-03");
      return { range: null, month: `${month}/` };
    },

    async append(operation, pod) {
      const { agent, headers, body, url } = operation;
      const folder = folderOf(pod, operation);
      const now = deps.now().getTime();
      // Asked once before a byte of the content is read, so that strangers cannot make us parse.
      const { description, mayReclaim } = await deps.read(pod, async (snapshot) => {
        await demandAppend(snapshot, pod, agent, folder);
        return {
          description: await descriptionOf(snapshot, folder, `${origin}${folder}`),
          mayReclaim: await reclaims(snapshot, pod, agent),
        };
      });
      const contentType = headers["content-type"];
      if (contentType === undefined) throw new Problem("content-type-missing");
      const observations = readBatch(
        await readBody(body, limits.seriesBatchBytesMax),
        mediaTypeOf(contentType),
        { base: `${origin}${folder}`, defaults: description, limits, now },
      );
      const { done, isNew, mayRead, fields } = await deps.edit(pod, agent, mayReclaim, async (edit) => {
        const { transaction } = edit;
        let authority = await demandAppend(transaction, pod, agent, folder);
        const decision = await access.authorize(transaction, pod, agent, parseTarget(folder), ["read"]);
        // What stands there already is told by rules only: a look under a grant is asked for as such.
        const mayRead = decision.kind === "granted" && decision.grants === undefined;
        const isFrozen = await frozenIn(transaction);
        const done = await append(edit, folder, observations, limits, columnsOf, mayRead, async (path) => {
          // Who may create in a folder may create observations, whichever page they come to stand on.
          if (authority.grants.length > 0 && !isFrozen(path)) return;
          authority = together(authority, await demand(transaction, pod, agent, path, "append"));
        });
        const horizon = horizonOf(await descriptionOf(transaction, folder, `${origin}${folder}`), now);
        if (done.stored > 0) await noteStreams(transaction);
        const expired = await removeExpired(edit, folder, horizon, limits.seriesExpiredPagesMax);
        const isNew = edit.made.includes(folder);
        const made = {
          bytes: done.bytes,
          folders: edit.made.filter((path) => path !== folder && folder.startsWith(path)).length,
          onlyAdds: expired === 0,
          grants: authority.grants,
          purpose: authority.purpose,
        };
        const written = { ...operation, target: parseTarget(folder) };
        const result = { status: isNew ? 201 : 200, headers: {}, body: null };
        if (done.stored + expired > 0) deps.record(transaction, pod, written, result, made);
        const fields = await deps.underGrants(transaction, pod, written, authority, result, done.bytes);
        return { done, isNew, mayRead, fields };
      });
      const { stored, repeated, pages } = done;
      return json(
        isNew ? 201 : 200,
        // A page is named after its first observation.
        { stored, repeated, pages: mayRead ? pages.map((path) => `${origin}${path}`) : [] },
        { ...(isNew && { location: url }), ...fields },
      );
    },

    async show(snapshot, pod, operation, { range, month }) {
      const folder = folderOf(pod, operation);
      const mayRead = await access.reader(snapshot, pod, operation.agent);
      const description = await descriptionOf(snapshot, folder, `${origin}${folder}`);
      const horizon = horizonOf(description, deps.now().getTime());
      if (range) {
        const asked = { ...range, from: Math.max(range.from, horizon) };
        const pages = await pagesIn(snapshot, folder, asked, mayRead, horizon);
        if (pages.length > 0)
          return inTurn(operation.agent, () => showRange(snapshot, operation, pages, asked, mayRead));
      }
      const months = await openMonths(snapshot, folder, mayRead, horizon);
      if (months.length === 0 && !(await mayRead(folder))) {
        if (operation.agent.webid === null) throw new Problem("login-required");
        throw new Problem("forbidden", "Nothing of this is open to you");
      }
      if (months.length === 0 && !(await isThere(snapshot, folder)))
        throw new Problem("not-found", "There is no stream here");
      if (range) return showRange(snapshot, operation, [], range, mayRead);
      const contentType = typeFor(operation, RDF_TYPES);
      const stream = `${origin}${folder}#stream`;
      let quads: Quad[];
      let documents = 0;
      if (month === null) {
        // What is said of the folder is for those who may read the folder.
        const said = (await mayRead(folder)) ? description : { ...description, keptMs: null, keptFrom: null };
        quads = rootQuads(operation.url, stream, said, months);
        documents = months.length;
      } else {
        if (!months.includes(month)) throw nothingOf(month, (await mayRead(folder)) ? horizon : -Infinity);
        const pages = await openPages(snapshot, folder, month, mayRead, horizon);
        const node = `${operation.url}?month=${month.slice(0, -1)}`;
        quads = monthQuads(node, operation.url, stream, month, pages, origin);
        documents = pages.length;
      }
      const bytes = await serializeRdf(quads, contentType, { prefixes: VIEW_PREFIXES });
      return toResult(operation, contentType, bytes, extentWith(mayRead, { rows: quads.length, documents }));
    },

    keepsNoMore: async (snapshot, pod, { agent, target }) =>
      !target.auxiliary &&
      isGone(snapshot, target.path, await access.reader(snapshot, pod, agent), origin, deps.now().getTime()),

    async sweep(pods) {
      const now = deps.now().getTime();
      let removed = 0;
      for (const pod of pods) {
        const folders = await deps.read(pod, limitedStreams);
        for (const folder of folders) {
          const url = `${origin}${folder}`;
          const isDue = await deps.read(pod, async (snapshot) => {
            if ((await frozenIn(snapshot))(folder)) return false;
            const horizon = horizonOf(await descriptionOf(snapshot, folder, url), now);
            const [month] = horizon === -Infinity ? [] : await monthsOf(snapshot, folder);
            const [page] = month ? await pagesOf(snapshot, folder, month) : [];
            return (page?.record.page?.last ?? Infinity) < horizon;
          });
          if (!isDue) continue;
          removed += await deps.clear(pod, folder, async (edit) => {
            const horizon = horizonOf(await descriptionOf(edit.transaction, folder, url), now);
            return removeExpired(edit, folder, horizon, limits.seriesExpiredPagesMax);
          });
        }
      }
      return removed;
    },

    forget() {
      remembered = new Lru(limits.seriesColumnsBytesMax);
    },
  };
}
