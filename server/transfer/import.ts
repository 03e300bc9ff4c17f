/**
 * A pod's archive, or a ZIP file of documents from anywhere, put into a pod of this server. Long, for it is one passage from
 * the first byte of the archive to the last commit.
 *
 * What arrives is nobody's but the owner's until its access list is there: documents come with their own lists in one
 * commit, and the lists of folders last, the deepest first. Until then a folder that has a list in the archive has one for
 * its owner alone, for the pod may be more open at that place. It is many commits, each of which may be the last one: run
 * again with the same archive, it ends up the same.
 *
 * The journal of the former place is not continued. Its entries are numbered and linked by another server's key, and say
 * what this server has not seen; in this pod's own chain they would be claims among facts. So it stays a document, beside
 * the passport's records, in a folder that says where it is from.
 */
import type { Language } from "../access/language.ts";
import { Problem } from "../errors.ts";
import { type Auxiliary, isBelowRules, parseIri, parseTarget, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { cardPath } from "../profile.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import { type Pod, quotaOf } from "../store/pods.ts";
import { decodeRecord, encodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { MANIFEST, type Member, membersOf, readDirectory, type Source } from "./archive.ts";
import { type Arrivals, createArrivals, type FolderDates, type Place } from "./arrivals.ts";
import { createReading, type Reading } from "./content.ts";
import { FORMER_HOMES, formerHome } from "./former-home.ts";
import { CONSENT_STATEMENT, CONSENTS, type Manifest, type Row } from "./manifest.ts";
import { placeOfName } from "./names.ts";
import type { Move } from "./rebase.ts";
import { createRows, type Rows } from "./rows.ts";

export interface ImportDeps {
  readonly baseUrl: string;
  /** Of the rules. */
  readonly language: Language;
  readonly store: Store;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly place: Place;
  /** @throws Problem `acl-invalid` for a list that may not be. */
  readonly checkAcl: (quads: readonly Quad[], aclUrl: string, subjectUrl: string, pod: Pod) => void;
  /** Takes in what vendors were given, if the pod's own passport names the host that vouches for it. */
  readonly arrive: (
    pod: Pod,
    arriving: {
      readonly statement: unknown;
      readonly content: () => AsyncIterable<Uint8Array>;
      readonly move: {
        readonly fromPath: string;
        readonly toPath: string;
        readonly from: string;
        readonly to: string;
        readonly owner: string;
      };
      readonly rests: boolean;
    },
  ) => Promise<ConsentsArrived>;
}

/** What became of the consents of an archive. */
export interface ConsentsArrived {
  /** That are here now, and were not before. */
  readonly grants: number;
  /** Of these, those that rest until the owner lets them go on. */
  readonly resting: number;
  /** Records that were not as they must be, or had no room. */
  readonly leftOut: number;
  /** Why nothing was taken; null where it was. */
  readonly refused: string | null;
}

export interface ImportOptions {
  /** What becomes of a pod that holds something already: it is refused, or what is there stays, or gives way. */
  readonly present: "refuse" | "keep" | "replace";
  /** Root of the pod that the archive is from, where it does not say so itself; ends in `/`. */
  readonly from?: string;
  /** Whether access lists come along. Without them what was imported is as open as the folder it comes into. */
  readonly lists: boolean;
  /** What becomes of vendors' grants: they go on (unless the archive is old), rest until the owner has looked, or stay behind. */
  readonly consents?: "go-on" | "rest" | "leave";
}

export interface ImportProgress {
  readonly stage: "check" | "documents" | "access";
  readonly done: number;
  readonly total: number;
}

export interface ImportReport {
  /** Root of the pod it is from; null when nobody knows. */
  readonly from: string | null;
  readonly folders: number;
  readonly documents: number;
  readonly files: number;
  /** Access lists and descriptions. */
  readonly lists: number;
  readonly descriptions: number;
  readonly bytes: number;
  /** Documents, lists and descriptions that were written anew, for they name addresses that have changed. */
  readonly rewritten: number;
  /** Left as they were, for something of their name was there. */
  readonly kept: number;
  readonly issues: readonly { readonly path: string; readonly detail: string }[];
  /** Also those that are not listed. */
  readonly issueCount: number;
  /** Folder with the former place's journal; null when there is none. */
  readonly formerHome: string | null;
  /** Null for an archive without any. */
  readonly consents: ConsentsArrived | null;
}

type Counts = { -readonly [name in keyof ImportReport]: ImportReport[name] };

const ASIDE: ReadonlySet<string> = new Set([
  MANIFEST,
  "README.txt",
  "account.json",
  "journal.jsonl",
  "passport/operations.json",
  CONSENTS,
  CONSENT_STATEMENT,
]);
/** What a new pod holds: that it is there does not make a pod full. */
// biome-ignore format: a list
const FIRST_PATHS: readonly string[] = [
  "", "profile/", "profile/card", "settings/", "settings/prefs.ttl", "settings/publicTypeIndex.ttl",
  "settings/privateTypeIndex.ttl", "inbox/",
];

const COUNTED = { folder: "folders", acl: "lists", meta: "descriptions" } as const;

interface Mark {
  /** Of the archive whose import has begun here. */
  readonly archive: string;
  readonly finished: number | null;
}

export type Importer = (
  pod: Pod,
  source: Source,
  options: ImportOptions,
  report?: (progress: ImportProgress) => void,
) => Promise<ImportReport>;

/** Imports into one pod at a time. */
export function createImporter(deps: ImportDeps): Importer {
  const { store } = deps;
  const running = new Set<string>();

  async function markOf(pod: Pod): Promise<Mark | null> {
    const entry = await store.read(pod.id, (snapshot) => snapshot.get("import", "transfer", ""));
    return entry && decodeRecord<Mark>(entry);
  }

  async function mark(pod: Pod, archive: string, finished: number | null): Promise<void> {
    await store.write(pod.id, async (transaction) =>
      transaction.put("import", "transfer", "", encodeRecord({ archive, finished } satisfies Mark)),
    );
  }

  /** @throws Problem `conflict` for a pod with more in it than a new one has, unless this very import put it there. */
  async function checkEmpty(pod: Pod, archive: string): Promise<void> {
    if ((await markOf(pod))?.archive === archive) return;
    const first = new Set(FIRST_PATHS.map((path) => `/${pod.name}/${path}`));
    await store.read(pod.id, async (snapshot) => {
      for await (const { group, item } of snapshot.all("resource")) {
        const path = `${group === "/" ? "/" : group}${item}`;
        if (!first.has(path))
          throw new Problem(
            "conflict",
            "There is something in this pod already; say whether it stays or gives way",
          );
      }
    });
  }

  return async (pod, source, options, report = () => {}) => {
    if (running.has(pod.id)) throw new Problem("conflict", "An import into this pod is under way");
    running.add(pod.id);
    try {
      report({ stage: "check", done: 0, total: 1 });
      const quota = quotaOf(pod, deps.limits);
      const directory = await readDirectory(source, quota, deps.limits);
      if (options.present === "refuse") await checkEmpty(pod, directory.id);
      const rows = directory.manifestBytes === null ? null : await createRows(source);
      await mark(pod, directory.id, null);
      const run = createRun(deps, pod, source, options, rows, directory.entries, report);
      const outcome = await run();
      await mark(pod, directory.id, deps.now().getTime());
      return outcome;
    } finally {
      running.delete(pod.id);
    }
  };
}

/** A member of the archive with its place in the pod. */
interface Placed {
  readonly member: Member;
  readonly target: Target;
  readonly row: Row | null;
}

function moveOf(deps: ImportDeps, pod: Pod, options: ImportOptions, manifest: Manifest | null): Move {
  const to = `${deps.baseUrl}${pod.name}/`;
  const from = manifest?.root ?? options.from ?? to;
  if (!from.endsWith("/")) throw new Problem("input-invalid", "The address of a pod ends in /");
  return {
    from: parseIri(from),
    to,
    formerOwner: manifest?.owner ?? (from === to ? pod.owner : `${from}profile/card#me`),
    owner: pod.owner,
  };
}

function createRun(
  deps: ImportDeps,
  pod: Pod,
  source: Source,
  options: ImportOptions,
  rows: Rows | null,
  total: number,
  report: (progress: ImportProgress) => void,
): () => Promise<ImportReport> {
  const { baseUrl, store, limits } = deps;
  const manifest = rows?.manifest ?? null;
  const move = moveOf(deps, pod, options, manifest);
  const reading: Reading = createReading({ pod, blobs: store.blobs, limits, move });
  const counts: Counts = {
    from: manifest?.root ?? options.from ?? null,
    folders: 0,
    documents: 0,
    files: 0,
    lists: 0,
    descriptions: 0,
    bytes: 0,
    rewritten: 0,
    kept: 0,
    issues: [],
    issueCount: 0,
    formerHome: null,
    consents: null,
  };
  const origin = baseUrl.slice(0, -1);
  let cut = ""; // A folder above everything in a ZIP file without manifest.
  const addressBefore = (path: string): string => move.from + path.slice(pod.name.length + 2);

  function issue(path: string, detail: string): void {
    counts.issueCount += 1;
    if (counts.issues.length < limits.archiveIssuesListed)
      counts.issues = [...counts.issues, { path, detail }];
  }

  const shutList = (path: string): Uint8Array =>
    Buffer.from(deps.language.ownerOnly(pod.owner, origin + path));

  const arrivals: Arrivals = createArrivals({
    pod,
    isShut: (path, list) => Buffer.compare(list, shutList(path)) === 0,
    place: deps.place,
    keepsPresent: options.present === "keep",
    refuse: issue,
    placed(arrival, isKept) {
      if (isKept) counts.kept += 1;
      else if (arrival.kind === "document") {
        const { kind, bytes } = arrival.content;
        counts[kind === "rdf" ? "documents" : "files"] += 1;
        counts.bytes += bytes instanceof Uint8Array ? bytes.length : bytes.bytes;
      } else counts[COUNTED[arrival.kind]] += 1;
    },
    discard: (hash) => store.blobs.release(pod.id, hash),
  });

  /** @returns null for what has no place in a pod, or is not wanted. */
  async function placeOf(member: Member): Promise<Placed | null> {
    if (!rows) {
      const name = member.name.slice(cut.length);
      if (name === "" && member.isFolder) return { member, target: parseTarget(`/${pod.name}/`), row: null };
      const target = placeOfName(pod.name, name);
      if (!target) issue(member.name, "A resource cannot have this name");
      return target && { member, target, row: null };
    }
    if (ASIDE.has(member.name)) return null;
    const row = await rows.of(member.name);
    if (!row) {
      issue(member.name, "Left out, for it is not in the manifest");
      return null;
    }
    const isList = row.kind === "acl" || row.kind === "meta";
    try {
      const target = parseTarget(`/${pod.name}/${row.path}${isList ? `.${row.kind}` : ""}`);
      const subject = `/${pod.name}/${row.path}`;
      const isKind = target.isContainer === (row.kind === "container");
      if (target.subject === subject && isKind && !isBelowRules(subject)) return { member, target, row };
    } catch {
      // Told below.
    }
    issue(row.path, "A resource cannot have this name");
    return null;
  }

  /** What has an access list of its own in the archive, wherever that stands in it. */
  async function subjectsWithList(): Promise<ReadonlySet<string>> {
    const subjects = new Set<string>();
    if (!options.lists) return subjects;
    const again = rows && (await createRows(source));
    for await (const { name } of membersOf(source)) {
      if (again) {
        const row = ASIDE.has(name) ? null : await again.of(name);
        if (row?.kind === "acl") subjects.add(`/${pod.name}/${row.path}`);
      } else if (name.endsWith(".acl")) {
        const target = placeOfName(pod.name, name.slice(cut.length));
        if (target?.auxiliary === "acl") subjects.add(target.subject);
      }
    }
    return subjects;
  }

  /** In one commit with what it belongs to, which was added just before. */
  const shut = (path: string): Promise<void> =>
    arrivals.add({
      kind: "acl",
      path,
      contentType: "text/turtle",
      bytes: shutList(path),
      modified: deps.now().getTime(),
      isForNow: true,
    });

  /** Statements of the document that the owner's WebID is in, if this is it. */
  async function cardAt(path: string): Promise<readonly Quad[] | null> {
    const url = origin + path;
    if (!pod.owner.startsWith(url) || !["#", ""].includes(pod.owner.charAt(url.length))) return null;
    return store.read(pod.id, async (snapshot) => {
      const at = path.lastIndexOf("/") + 1;
      const entry = await snapshot.get("resource", path.slice(0, at), path.slice(at));
      const body = entry && (await snapshot.get("body", path, ""));
      if (!body || path !== cardPath(pod.name)) return [];
      return parseRdf(body.value, decodeRecord<ResourceRecord>(entry).contentType, url, limits);
    });
  }

  async function addDocument({ member, target, row }: Placed): Promise<void> {
    const { path } = target;
    const time = member.modified;
    const expected = {
      contentType: row?.type ?? null,
      kind: row?.kind === "rdf" || row?.kind === "binary" ? row.kind : null,
      sha256: row?.sha256 ?? null,
      bytes: row?.bytes ?? member.bytes,
    } as const;
    try {
      const place = { before: addressBefore(path), after: origin + path, card: await cardAt(path) };
      const { content, isRewritten, remark } = await reading.take(member, expected, place);
      if (isRewritten) counts.rewritten += 1;
      if (remark !== null) issue(path, `Kept as plain text: ${remark}`);
      const created = row ? Date.parse(row.created) : time;
      await arrivals.add({
        kind: "document",
        path,
        content,
        created,
        modified: row ? Date.parse(row.modified) : time,
      });
    } catch (error) {
      if (
        !(error instanceof Problem) ||
        !["body-too-large", "rdf-invalid", "context-unknown"].includes(error.code)
      )
        throw error;
      issue(path, error.detail ?? error.code);
    }
  }

  async function addAuxiliary({ member, target, row }: Placed): Promise<void> {
    const { subject } = target;
    const kind = target.auxiliary as Auxiliary;
    if (kind === "acl" && !options.lists) return;
    const ending = kind === "acl" ? deps.language.ending : `.${kind}`;
    const urls = { before: addressBefore(subject) + ending, after: origin + subject + ending };
    const modified = row ? Date.parse(row.modified) : member.modified;
    try {
      const expected = { contentType: row?.type ?? null, sha256: row?.sha256 ?? null };
      const { quads, isRewritten, contentType, bytes } = await reading.takeAuxiliary(member, expected, urls);
      if (kind === "acl") deps.checkAcl(quads, urls.after, origin + subject, pod);
      if (isRewritten) counts.rewritten += 1;
      await arrivals.add({ kind, path: subject, contentType, bytes, modified });
    } catch (error) {
      if (!(error instanceof Problem) || error.code === "archive-invalid") throw error;
      issue(`${subject}.${kind}`, error.detail ?? error.code);
      if (kind !== "acl") return;
      // Without a list of its own it would be as open as its folder: nobody wanted that.
      const bytes = shutList(subject);
      await arrivals.add({ kind, path: subject, contentType: "text/turtle", bytes, modified });
    }
  }

  const contentOf = (member: Member) =>
    async function* (): AsyncGenerator<Uint8Array> {
      yield* (await member.open()) as AsyncIterable<Uint8Array>;
    };

  async function takeConsents(): Promise<ConsentsArrived | null> {
    let records: Member | null = null;
    let statement: unknown = null;
    for await (const member of membersOf(source)) {
      if (member.name === CONSENTS) records = member;
      if (member.name === CONSENT_STATEMENT && member.bytes <= limits.consentBytesMax)
        statement = await jsonIn(contentOf(member)());
    }
    if (!records) return null;
    const root = `/${pod.name}/`;
    return deps.arrive(pod, {
      statement,
      content: contentOf(records),
      move: {
        fromPath: new URL(move.from).pathname,
        toPath: root,
        from: move.from,
        to: move.to,
        owner: pod.owner,
      },
      rests: options.consents === "rest",
    });
  }

  return async () => {
    if (!rows) cut = await commonFolder(source);
    const listed = await subjectsWithList();
    const folders: FolderDates[] = [];
    const later: Placed[] = [];
    let done = 0;
    let owed: string | null = null; // A document whose list should be the next entry.
    const shutFolders = new Set<string>();
    /** Folders on the way to a path, and that path if it is one. */
    async function shutFoldersAt(path: string): Promise<void> {
      for (let end = path.indexOf("/", 1); end !== -1; end = path.indexOf("/", end + 1)) {
        const folder = path.slice(0, end + 1);
        if (!listed.has(folder) || shutFolders.has(folder)) continue;
        shutFolders.add(folder);
        if (folder !== path) await arrivals.add({ kind: "folder", path: folder, isForNow: true });
        await shut(folder);
      }
    }
    for await (const member of membersOf(source)) {
      report({ stage: "documents", done: done++, total });
      const placed = await placeOf(member);
      if (!placed) continue;
      const { target, row } = placed;
      if (owed !== null && !(target.auxiliary === "acl" && target.subject === owed)) await shut(owed);
      owed = null;
      if (target.auxiliary) {
        const isInTime = !target.subject.endsWith("/") && arrivals.isWaiting(target.subject);
        if (isInTime) await addAuxiliary(placed);
        else later.push(placed);
      } else if (target.isContainer) {
        await arrivals.add({ kind: "folder", path: target.path });
        await shutFoldersAt(target.path);
        if (row) folders.push(datesOf(target.path, row));
      } else {
        await shutFoldersAt(target.path);
        await addDocument(placed);
        if (listed.has(target.path) && arrivals.isWaiting(target.path)) owed = target.path;
      }
    }
    if (owed !== null) await shut(owed);
    // Somebody who packed the archive anew may have left out entries for folders, but nothing else.
    for (const row of (await rows?.foldersLeft()) ?? []) {
      const { path } = parseTarget(`/${pod.name}/${row.path}`);
      await arrivals.add({ kind: "folder", path });
      await shutFoldersAt(path);
      folders.push(datesOf(path, row));
    }
    await arrivals.flush();
    const depth = ({ target }: Placed): number => target.subject.split("/").length;
    later.sort((a, b) => depth(b) - depth(a));
    for (const [index, placed] of later.entries()) {
      report({ stage: "access", done: index, total: later.length });
      await addAuxiliary(placed);
      await arrivals.flush();
    }
    const { language } = deps;
    if (manifest)
      counts.formerHome = await formerHome({ pod, source, manifest, arrivals, reading, origin, language });
    await arrivals.flush();
    await arrivals.dateFolders(
      folders.filter(({ path }) => !path.startsWith(`/${pod.name}/${FORMER_HOMES}`)),
    );
    // Last, when every document has its list: nothing is given before its place is as it was.
    if (manifest && options.consents !== "leave") counts.consents = await takeConsents();
    report({ stage: "access", done: later.length, total: later.length });
    return { ...counts };
  };
}

/** @returns null for what is no JSON. */
async function jsonIn(content: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return null;
  }
}

function datesOf(path: string, { created, modified, listed }: Row): FolderDates {
  return {
    path,
    created: Date.parse(created),
    modified: Date.parse(modified),
    listed: listed === undefined ? null : Date.parse(listed),
  };
}

/** Many ZIP files have one folder around everything. It is not part of the pod, if the pod's own access list or card is in it. */
async function commonFolder(source: Source): Promise<string> {
  let common: string | null = null;
  let isRoot = false;
  for await (const { name } of membersOf(source)) {
    const first = /^[^/]+\//.exec(name)?.[0] ?? "";
    if (first === "" || (common !== null && common !== first)) return "";
    common = first;
    isRoot ||= name === `${first}.acl` || name.startsWith(`${first}profile/card`);
  }
  return isRoot ? (common ?? "") : "";
}
