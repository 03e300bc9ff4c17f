/** PUT, POST, PATCH and DELETE: each prepares what needs no snapshot, then acts inside one transaction. */
import { randomBytes, randomUUID } from "node:crypto";
import { ldp } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { encodeSegment, nameOf, parentOf, parseTarget, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Operation, Result } from "../operation.ts";
import { violatesProtected } from "../profile.ts";
import { parseRdf, prefixesOf } from "../rdf/parse.ts";
import { applyPatch } from "../rdf/patch.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import { decodeDocument, encodeDocument, encodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Blobs, Transaction } from "../store/store.ts";
import { checkWriteConditions, etagOf } from "./conditions.ts";
import { findResource, findStored, otherForm } from "./find.ts";
import { ALLOWED, abilityHeaders, linkHeader, natureOf } from "./headers.ts";
import { isServerManaged } from "./managed.ts";
import { asksForContainer, type Prepared, prepareContent, preparePatch } from "./prepare.ts";

/** What the commit leaves to do: the answer, made once the new version is known, and files nobody uses any more. */
export interface Written {
  readonly answer: (generation: number) => Result;
  readonly unused: readonly string[];
}

export interface WriterDeps {
  readonly baseUrl: string;
  readonly blobs: Blobs;
  readonly limits: Limits;
  readonly now: () => Date;
  /** @throws Problem `acl-invalid` when an access list may not replace the present one. */
  readonly checkAcl: (quads: readonly Quad[], aclUrl: string, subjectUrl: string, pod: Pod) => void;
  /** Shapes of ours by IRI; null when a container names one that this server does not know. */
  readonly validate: (quads: readonly Quad[], shapeIri: string) => Promise<void>;
}

export interface Writer {
  prepare(pod: Pod, operation: Operation): Promise<Prepared>;
  act(transaction: Transaction, pod: Pod, operation: Operation, prepared: Prepared): Promise<Written>;
  /** Files that were streamed for a write that never happened. */
  discard(pod: Pod, prepared: Prepared): Promise<void>;
}

interface Content {
  readonly kind: "rdf" | "binary";
  readonly contentType: string;
  readonly bytes: Uint8Array | { readonly hash: string; readonly bytes: number };
}

/** Creates missing containers up to the pod's root and marks the parent's listing as changed. */
async function link(transaction: Transaction, path: string, now: number): Promise<void> {
  const parent = parentOf(path);
  if (parent === null || parent === "/") return;
  transaction.put("stamp", parent, "", encodeRecord({ modified: now })); // Blind: writers to one folder do not conflict.
  if (await findResource(transaction, parent)) return;
  if (await findResource(transaction, otherForm(parent)))
    throw new Problem("conflict", `${nameOf(parent)} is a document, not a folder`);
  putContainer(transaction, parent, now);
  await link(transaction, parent, now);
}

function putContainer(transaction: Transaction, path: string, now: number): void {
  const record: ResourceRecord = {
    kind: "container",
    contentType: "text/turtle",
    bytes: 0,
    created: now,
    modified: now,
  };
  transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
  transaction.put("stamp", path, "", encodeRecord({ modified: now }));
}

/** Stores a document or binary with all that hangs on it. @returns the file it used before, if that is free now. */
async function putDocument(
  transaction: Transaction,
  path: string,
  content: Content,
  now: number,
): Promise<readonly string[]> {
  const before = await findResource(transaction, path);
  if (!before && (await findResource(transaction, otherForm(path))))
    throw new Problem("conflict", `${nameOf(path)} is a folder`);
  const blob = "hash" in content.bytes ? content.bytes.hash : undefined;
  const bytes = "hash" in content.bytes ? content.bytes.bytes : content.bytes.length;
  const record: ResourceRecord = {
    kind: content.kind,
    contentType: content.contentType,
    bytes,
    created: before?.record.created ?? now,
    modified: now,
    ...(blob !== undefined && { blob }),
  };
  transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
  if (content.bytes instanceof Uint8Array) transaction.put("body", path, "", content.bytes);
  else transaction.delete("body", path, "");
  if (blob !== undefined) transaction.put("blob", blob, path, new Uint8Array());
  await link(transaction, path, now);
  const old = before?.record.blob;
  if (old === undefined || old === blob) return [];
  transaction.delete("blob", old, path);
  return [old];
}

/** A document that the server itself writes: the first documents of a pod, imports. Paths are canonical. */
export interface NewDocument {
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** Turtle of the access list, if the document has one of its own. */
  readonly acl?: string;
  readonly meta?: string;
}

/** Writes documents without a request; their bytes must be valid, for nobody checks them here. */
export async function putDocuments(
  transaction: Transaction,
  documents: readonly NewDocument[],
  now: number,
): Promise<void> {
  const text = new TextEncoder();
  const putAuxiliary = (path: string, item: "acl" | "meta", turtle: string | undefined) => {
    if (turtle === undefined) return;
    transaction.put(
      "auxiliary",
      path,
      item,
      encodeDocument({ contentType: "text/turtle", modified: now, bytes: text.encode(turtle) }),
    );
  };
  for (const { path, contentType, bytes, acl, meta } of documents) {
    if (path.endsWith("/")) {
      if (!(await findResource(transaction, path))) putContainer(transaction, path, now);
      await link(transaction, path, now);
    } else {
      const kind = contentType.startsWith("text/turtle") ? "rdf" : "binary";
      await putDocument(transaction, path, { kind, contentType, bytes }, now);
    }
    putAuxiliary(path, "acl", acl);
    putAuxiliary(path, "meta", meta);
  }
}

/** A name from a Slug header: a hint, cleaned of all that could mean something else. */
function nameFromSlug(slug: string | undefined, slugBytesMax: number): string {
  if (slug === undefined) return randomUUID();
  let text = slug;
  try {
    text = decodeURIComponent(slug);
  } catch {
    // Not percent-encoded: taken as it is.
  }
  const name = text
    .toWellFormed()
    .normalize("NFC")
    // oxlint-disable-next-line no-control-regex -- control characters are what this removes
    .replace(/[\u0000-\u001f\u007f/\\]+/g, "-")
    .replace(/\.(acl|meta)$/i, "-$1")
    .replace(/^\.+|\.+$/g, "");
  const short = Buffer.from(name)
    .subarray(0, slugBytesMax)
    .toString()
    .replace(/\ufffd+$/, "");
  return short.replace(/\.(acl|meta)$|\.+$/g, "") || randomUUID();
}

export function createWriter(deps: WriterDeps): Writer {
  const { baseUrl, blobs, limits, now } = deps;
  const origin = baseUrl.slice(0, -1);

  function answer(status: number, pod: Pod, target: Target, created = false) {
    const nature = natureOf(target, pod.name);
    return (generation: number): Result => ({
      status,
      headers: {
        ...abilityHeaders(nature),
        link: linkHeader(baseUrl, target, nature, pod.owner),
        etag: etagOf(generation, target.isContainer ? "ttl" : ""),
        ...(created && { location: `${origin}${target.path}` }),
      },
      body: null,
    });
  }

  /** https://www.w3.org/TR/ldp/#ldpr-constraints: the container's description names the shape of its members. */
  async function checkShape(transaction: Transaction, path: string, quads: readonly Quad[]): Promise<void> {
    const parent = parentOf(path);
    const meta = parent && (await transaction.get("auxiliary", parent, "meta"));
    if (!meta) return;
    const description = decodeDocument(meta);
    for (const { subject, predicate, object } of await parseRdf(
      description.bytes,
      description.contentType,
      `${origin}${parent}`,
    )) {
      if (subject.value === `${origin}${parent}` && predicate.value === ldp.constrainedBy)
        await deps.validate(quads, object.value);
    }
  }

  function checkProtected(pod: Pod, url: string, before: readonly Quad[], after: readonly Quad[]): void {
    if (pod.owner.split("#", 1)[0] !== url) return;
    if (violatesProtected(before, after, pod.owner)) {
      throw new Problem(
        "protected-triple",
        "The log-in service, the storage, the keys and the passport are changed on the account page only",
      );
    }
  }

  async function checkNew(
    transaction: Transaction,
    pod: Pod,
    url: string,
    target: Target,
    quads: readonly Quad[],
  ): Promise<void> {
    if (target.auxiliary === "acl") deps.checkAcl(quads, url, `${origin}${target.subject}`, pod);
    if (target.auxiliary) return;
    await checkShape(transaction, target.path, quads);
    const stored = await findStored(transaction, target);
    const before = stored?.isRdf && stored.bytes ? await parseRdf(stored.bytes, stored.contentType, url) : [];
    checkProtected(pod, url, before, quads);
  }

  /** Stores RDF at a document or an auxiliary. @throws Problem `not-found` for an auxiliary of nothing. */
  async function putRdf(
    transaction: Transaction,
    target: Target,
    contentType: string,
    bytes: Uint8Array,
  ): Promise<readonly string[]> {
    const time = now().getTime();
    if (!target.auxiliary)
      return putDocument(transaction, target.path, { kind: "rdf", contentType, bytes }, time);
    if (!(await findResource(transaction, target.subject)))
      throw new Problem("not-found", "There is no resource that this would describe");
    transaction.put(
      "auxiliary",
      target.subject,
      target.auxiliary,
      encodeDocument({ contentType, modified: time, bytes }),
    );
    return [];
  }

  /** A container's own statements are kept in its description; what the server states about it cannot be changed. */
  async function describeContainer(
    transaction: Transaction,
    target: Target,
    quads: readonly Quad[],
  ): Promise<void> {
    const url = `${origin}${target.path}`;
    const own = quads.filter((quad) => !isServerManaged(quad, url));
    if (own.length === 0) return;
    const bytes = await serializeRdf(own, "text/turtle", { baseIri: url });
    transaction.put(
      "auxiliary",
      target.path,
      "meta",
      encodeDocument({ contentType: "text/turtle", modified: now().getTime(), bytes }),
    );
  }

  async function put(
    transaction: Transaction,
    pod: Pod,
    operation: Operation,
    prepared: Prepared,
  ): Promise<Written> {
    const { target, headers, url } = operation;
    if (target.isContainer) {
      const found = await findResource(transaction, target.path);
      checkWriteConditions(headers, found && etagOf(found.entry.version), found?.record.modified ?? null);
      const quads = prepared?.kind === "container" ? prepared.quads : [];
      if (quads.some((quad) => quad.predicate.value === ldp.contains))
        throw new Problem("conflict", "What a folder contains is changed by adding and deleting");
      if (!found) {
        if (await findResource(transaction, otherForm(target.path)))
          throw new Problem("conflict", `${nameOf(target.path)} is a document`);
        putContainer(transaction, target.path, now().getTime());
        await link(transaction, target.path, now().getTime());
      }
      await describeContainer(transaction, target, quads);
      return { answer: answer(found ? 204 : 201, pod, target, !found), unused: [] };
    }
    const before = await findStored(transaction, target);
    checkWriteConditions(headers, before && etagOf(before.entry.version), before?.modified ?? null);
    let unused: readonly string[];
    if (prepared?.kind === "rdf") {
      await checkNew(transaction, pod, url, target, prepared.quads);
      unused = await putRdf(transaction, target, prepared.contentType, prepared.bytes);
    } else {
      await checkNew(transaction, pod, url, target, []); // No binary where a shape or a profile is wanted.
      unused = await putDocument(transaction, target.path, contentOf(prepared), now().getTime());
    }
    return { answer: answer(before ? 204 : 201, pod, target, !before), unused };
  }

  async function post(
    transaction: Transaction,
    pod: Pod,
    operation: Operation,
    prepared: Prepared,
  ): Promise<Written> {
    const container = await findResource(transaction, operation.target.path);
    if (!container || container.record.kind !== "container")
      throw new Problem("not-found", "There is no folder here");
    const slash = prepared?.kind === "container" ? "/" : "";
    let name = nameFromSlug(operation.headers.slug, limits.slugBytesMax);
    const pathOf = () => `${operation.target.path}${encodeSegment(name)}${slash}`;
    const taken = async () =>
      (await findResource(transaction, pathOf())) ?? (await findResource(transaction, otherForm(pathOf())));
    let isSlug = true;
    if (await taken()) {
      name = name.replace(/(\.[^.]*)?$/, (extension) => `-${randomBytes(8).toString("hex")}${extension}`);
      isSlug = false;
    }
    const target = parseTarget(pathOf());
    const url = `${origin}${target.path}`;
    const time = now().getTime();
    if (prepared?.kind === "container") {
      putContainer(transaction, target.path, time);
      await link(transaction, target.path, time);
      await describeContainer(transaction, target, prepared.quads);
      return { answer: answer(201, pod, target, true), unused: [] };
    }
    if (prepared?.kind === "rdf") {
      // Relative references mean the new resource, whose name is certain only now.
      const quads =
        isSlug && url === provisionalUrl(operation)
          ? prepared.quads
          : await parseRdf(prepared.bytes, prepared.contentType, url, limits);
      await checkNew(transaction, pod, url, target, quads);
    } else {
      await checkNew(transaction, pod, url, target, []);
    }
    const content = prepared?.kind === "rdf" ? { ...prepared, bytes: prepared.bytes } : contentOf(prepared);
    const unused = await putDocument(transaction, target.path, content, time);
    return { answer: answer(201, pod, target, true), unused };
  }

  async function patch(
    transaction: Transaction,
    pod: Pod,
    operation: Operation,
    prepared: Prepared,
  ): Promise<Written> {
    if (prepared?.kind !== "patch") throw new Problem("patch-invalid");
    const { url, headers } = operation;
    // A container's representation is the server's; what its owner says about it is patched in its description.
    const target: Target = operation.target.isContainer
      ? { ...operation.target, isContainer: false, auxiliary: "meta" }
      : operation.target;
    const stored = await findStored(transaction, target);
    checkWriteConditions(headers, stored && etagOf(stored.entry.version), stored?.modified ?? null);
    if (stored && (!stored.isRdf || !stored.bytes))
      throw new Problem("conflict", "Only RDF documents can be patched");
    const before = stored?.bytes ? await parseRdf(stored.bytes, stored.contentType, url) : [];
    const after = applyPatch(prepared.patch, before);
    if (operation.target.isContainer && after.some((one) => isServerManaged(one, url))) {
      throw new Problem(
        "conflict",
        "What a folder contains, and what the server says of its members, cannot be patched",
      );
    }
    if (target.auxiliary === "acl") deps.checkAcl(after, url, `${origin}${target.subject}`, pod);
    else if (!target.auxiliary) {
      await checkShape(transaction, target.path, after);
      checkProtected(pod, url, before, after);
    }
    const contentType = stored?.contentType ?? "text/turtle";
    const prefixes = stored?.bytes && contentType.startsWith("text/turtle") ? prefixesOf(stored.bytes) : {};
    const bytes = await serializeRdf(after, contentType, { baseIri: url, prefixes });
    const unused = await putRdf(transaction, target, contentType, bytes);
    return { answer: answer(stored ? 204 : 201, pod, operation.target, !stored), unused };
  }

  async function remove(transaction: Transaction, pod: Pod, operation: Operation): Promise<Written> {
    const { target, headers, url } = operation;
    if (!ALLOWED[natureOf(target, pod.name)].includes("DELETE")) {
      throw new Problem("method-not-allowed", "The root and its access list cannot be deleted", {
        headers: { ...abilityHeaders(natureOf(target, pod.name)) },
      });
    }
    const gone = answer(204, pod, target);
    const done = (): Result => {
      const {
        status,
        headers: { etag: _etag, ...rest },
        body,
      } = gone(0);
      return { status, headers: rest, body };
    };
    if (target.auxiliary) {
      const stored = await findStored(transaction, target);
      if (!stored) throw new Problem("not-found");
      checkWriteConditions(headers, etagOf(stored.entry.version), stored.modified);
      transaction.delete("auxiliary", target.subject, target.auxiliary);
      return { answer: done, unused: [] };
    }
    const found = await findResource(transaction, target.path);
    if (!found) throw new Problem("not-found");
    checkWriteConditions(headers, etagOf(found.entry.version), found.record.modified);
    if (found.record.kind === "container") {
      for await (const _member of transaction.list("resource", target.path))
        throw new Problem("container-not-empty");
      transaction.delete("stamp", target.path, "");
    }
    if (pod.owner.split("#", 1)[0] === url)
      throw new Problem("protected-triple", "The profile itself cannot be deleted");
    transaction.delete("resource", parentOf(target.path) ?? "", nameOf(target.path));
    transaction.delete("body", target.path, "");
    for await (const { group, item } of transaction.list("auxiliary", target.path))
      transaction.delete("auxiliary", group, item);
    if (found.record.blob) transaction.delete("blob", found.record.blob, target.path);
    await link(transaction, target.path, now().getTime());
    return { answer: done, unused: found.record.blob ? [found.record.blob] : [] };
  }

  /** Where a POST would create, if the name is free: what relative references are read against first. */
  function provisionalUrl(operation: Operation): string {
    const slug = operation.headers.slug;
    return slug === undefined
      ? operation.url
      : `${operation.url}${encodeSegment(nameFromSlug(slug, limits.slugBytesMax))}`;
  }

  return {
    async prepare(pod, operation) {
      const { method, target } = operation;
      if (method === "DELETE") return null;
      if (method === "PATCH") return preparePatch(operation, limits);
      const asContainer = method === "POST" ? asksForContainer(operation) : target.isContainer;
      if (method === "PUT" && !asContainer && asksForContainer(operation))
        throw new Problem("bad-request", "The address of a folder ends in /");
      const base = method === "POST" ? provisionalUrl(operation) : operation.url;
      return prepareContent(operation, asContainer, base, pod.id, blobs, limits);
    },
    act(transaction, pod, operation, prepared) {
      const acts = { PUT: put, POST: post, PATCH: patch, DELETE: remove } as const;
      const act = acts[operation.method as keyof typeof acts];
      return act(transaction, pod, operation, prepared);
    },
    async discard(pod, prepared) {
      if (prepared?.kind === "blob") await blobs.release(pod.id, prepared.hash);
    },
  };
}

function contentOf(prepared: Prepared): Content {
  if (prepared?.kind === "blob")
    return { kind: "binary", contentType: prepared.contentType, bytes: prepared };
  if (prepared?.kind === "binary") return prepared;
  throw new Problem("content-type-missing");
}
