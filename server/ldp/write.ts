/** PUT, POST, PATCH and DELETE, one idea in four verbs: each prepares what needs no snapshot, then acts inside one transaction; long, for all share their checks. */
import type { Language } from "../access/language.ts";
import { Problem } from "../errors.ts";
import { encodeSegment, nameOf, parentOf, parseTarget, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Operation, Result } from "../operation.ts";
import { parseRdf, prefixesOf } from "../rdf/parse.ts";
import { applyPatch } from "../rdf/patch.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { Blobs, Transaction } from "../store/store.ts";
import { checkWriteConditions, etagOf, hasWriteConditions } from "./conditions.ts";
import { CLAUSES, createFolderRules, refusal } from "./constraints.ts";
import {
  type Content,
  link,
  putAuxiliary,
  putContainer,
  putDocument,
  removeAuxiliary,
  removeResource,
} from "./documents.ts";
import type { Edit } from "./edit.ts";
import { containerState, findResource, findStored, otherForm } from "./find.ts";
import { ALLOWED, abilityHeaders, linkHeader, natureOf } from "./headers.ts";
import { checkMembers, isServerManaged } from "./managed.ts";
import { asksForContainer, type Prepared, prepareContent, preparePatch } from "./prepare.ts";
import { shapeProblem, shapesIn, type Violation } from "./shape.ts";
import { nameFromSlug, unguessable } from "./slug.ts";
import { checkKept, isProfile, keptKind, leadsTo } from "./webid.ts";

/** What the commit leaves to do: the answer, made once the new version is known. */
export interface Written {
  readonly answer: (generation: number) => Result;
}

export interface WriterDeps {
  readonly baseUrl: string;
  /** Of the rules. */
  readonly language: Language;
  readonly blobs: Blobs;
  readonly limits: Limits;
  readonly now: () => Date;
  /** @throws Problem `acl-invalid` when an access list may not replace the present one. */
  readonly checkAcl: (quads: readonly Quad[], aclUrl: string, subjectUrl: string, pod: Pod) => void;
  /** Null when the document fits, and for shapes that this server does not know. */
  readonly validate: (quads: readonly Quad[], shapeIri: string) => Promise<Violation | null>;
  /** @throws Problem `quota-exceeded` when so many bytes cannot find room at the path: asked before they are read. */
  readonly checkRoom: (pod: Pod, path: string, bytes: number, reclaims: boolean) => Promise<void>;
}

/** Whether the agent who writes may read a path: asked before an answer tells what is there. */
export type MayRead = (path: string) => Promise<boolean>;

export interface Writer {
  /** @param reclaims Whether trash and histories would give way to it, if the pod is full. */
  prepare(pod: Pod, operation: Operation, reclaims: boolean): Promise<Prepared>;
  act(edit: Edit, pod: Pod, operation: Operation, prepared: Prepared, mayRead: MayRead): Promise<Written>;
  /**
   * Stores content that is no request's, under the same rules: an earlier version that comes back.
   * @throws Problem `protected-triple`, `shape-violation`, `acl-invalid`.
   */
  replace(edit: Edit, pod: Pod, target: Target, content: Content): Promise<void>;
  /**
   * Changes an RDF document as a patch does, or makes it: under the same rules, from the same checks.
   * @param changed Makes the document's triples of those it has; none where there is no document yet.
   */
  change(
    edit: Edit,
    pod: Pod,
    operation: Operation,
    changed: (before: readonly Quad[]) => readonly Quad[],
    mayRead: MayRead,
  ): Promise<Written>;
  /** Files that were streamed for a write that never happened. */
  discard(pod: Pod, prepared: Prepared): Promise<void>;
}

export function createWriter(deps: WriterDeps): Writer {
  const { baseUrl, blobs, limits, language } = deps;
  const origin = baseUrl.slice(0, -1);
  const rules = createFolderRules(limits, deps.now);

  function answer(status: number, pod: Pod, target: Target, created = false) {
    const nature = natureOf(target, pod.name);
    return (generation: number): Result => ({
      status,
      headers: {
        ...abilityHeaders(nature),
        link: linkHeader(baseUrl, target, nature, pod.owner, language),
        etag: etagOf(generation, target.isContainer ? "ttl" : ""),
        ...(created && { location: `${origin}${target.path}` }),
      },
      body: null,
    });
  }

  /** @throws Problem `precondition-failed`: what is there is not what a GET of the target told the client. */
  async function checkConditions(transaction: Transaction, { target, headers }: Operation): Promise<void> {
    if (!hasWriteConditions(headers)) return; // Looking would make writers to one folder conflict.
    if (!target.isContainer) {
      const stored = await findStored(transaction, target);
      checkWriteConditions(headers, stored && etagOf(stored.version), stored?.modified ?? null);
      return;
    }
    const found = await findResource(transaction, target.path);
    const meta = await transaction.get("auxiliary", target.path, "meta");
    const state = found && (await containerState(transaction, target.path, found, meta));
    checkWriteConditions(headers, state && etagOf(state.version), state?.modified ?? null);
  }

  /** What the folder's description asks of its members. */
  async function constraintsOf(transaction: Transaction, folder: string | null): Promise<readonly string[]> {
    const meta = folder && (await transaction.get("auxiliary", folder, "meta"));
    return meta ? shapesIn(meta, `${origin}${folder}`) : [];
  }

  /** @param mayRead Whether the agent may know all that is in the document. */
  async function checkShape(
    transaction: Transaction,
    path: string,
    quads: readonly Quad[],
    mayRead: boolean,
  ): Promise<void> {
    for (const shape of await constraintsOf(transaction, parentOf(path))) {
      const violation = await deps.validate(quads, shape);
      if (violation) throw shapeProblem(shape, violation, mayRead);
    }
  }

  /** https://solidproject.org/TR/protocol#server-protect-containment */
  function checkDescription(target: Target, quads: readonly Quad[]): void {
    if (target.auxiliary !== "meta" || !target.subject.endsWith("/")) return;
    if (quads.some((quad) => isServerManaged(quad, `${origin}${target.subject}`)))
      throw refusal(
        "conflict",
        CLAUSES.memberMetadata,
        "What a folder contains, and what the server says of its members, cannot be written",
      );
  }

  async function checkNew(
    transaction: Transaction,
    pod: Pod,
    url: string,
    target: Target,
    quads: readonly Quad[],
  ): Promise<void> {
    if (target.auxiliary === "acl") deps.checkAcl(quads, url, `${origin}${target.subject}`, pod);
    checkDescription(target, quads);
    if (target.auxiliary) return;
    await checkShape(transaction, target.path, quads, true); // All of it is the agent's own.
    const kind = await keptKind(transaction, pod, origin, url);
    if (!kind) return;
    const stored = await findStored(transaction, target);
    const before = stored?.isRdf && stored.bytes ? await parseRdf(stored.bytes, stored.contentType, url) : [];
    checkKept(pod, kind, before, quads);
  }

  /** Stores RDF at a document or an auxiliary. @throws Problem `not-found` for an auxiliary of nothing. */
  async function putRdf(edit: Edit, target: Target, contentType: string, bytes: Uint8Array): Promise<void> {
    if (!target.auxiliary) return putDocument(edit, target.path, { kind: "rdf", contentType, bytes });
    if (!(await findResource(edit.transaction, target.subject)))
      throw new Problem("not-found", "There is no resource that this would describe");
    await putAuxiliary(edit, target.subject, target.auxiliary, { contentType, bytes });
  }

  /**
   * A container's own statements are kept in its description; what the server states about it cannot be changed.
   * @returns whether there was anything to keep.
   */
  async function describeContainer(edit: Edit, target: Target, quads: readonly Quad[]): Promise<boolean> {
    const url = `${origin}${target.path}`;
    const own = quads.filter((quad) => !isServerManaged(quad, url));
    if (own.length === 0) return false;
    const bytes = await serializeRdf(own, "text/turtle", { baseIri: `${url}.meta` });
    await putAuxiliary(edit, target.path, "meta", { contentType: "text/turtle", bytes });
    return true;
  }

  async function put(edit: Edit, pod: Pod, operation: Operation, prepared: Prepared): Promise<Written> {
    const { target, url } = operation;
    const { transaction } = edit;
    await checkConditions(transaction, operation);
    if (target.isContainer) {
      const found = await findResource(transaction, target.path);
      const quads = prepared?.kind === "container" ? prepared.quads : [];
      checkMembers(url, quads);
      if (!found) {
        if (await findResource(transaction, otherForm(target.path)))
          throw refusal("conflict", CLAUSES.slash, `${nameOf(target.path)} is a document`);
        putContainer(edit, target.path);
        await link(edit, target.path);
      }
      const isDescribed = await describeContainer(edit, target, quads);
      const told = answer(found ? 204 : 201, pod, target, !found);
      return { answer: found && !isDescribed ? withoutEtag(told) : told };
    }
    const before = await findStored(transaction, target);
    if (before && !target.auxiliary)
      rules.checkReplace(operation, await constraintsOf(transaction, parentOf(target.path)));
    if (prepared?.kind === "rdf") {
      await checkNew(transaction, pod, url, target, prepared.quads);
      await putRdf(edit, target, prepared.contentType, prepared.bytes);
    } else {
      await checkNew(transaction, pod, url, target, []); // No binary where a shape or a profile is wanted.
      await putDocument(edit, target.path, contentOf(prepared));
    }
    return { answer: answer(before ? 204 : 201, pod, target, !before) };
  }

  async function post(
    edit: Edit,
    pod: Pod,
    operation: Operation,
    prepared: Prepared,
    mayRead: MayRead,
  ): Promise<Written> {
    const { transaction } = edit;
    const container = await findResource(transaction, operation.target.path);
    if (!container || container.record.kind !== "container")
      throw new Problem("not-found", "There is no folder here");
    await checkConditions(transaction, operation);
    rules.checkPost(pod, operation, prepared, await constraintsOf(transaction, operation.target.path));
    const slash = prepared?.kind === "container" ? "/" : "";
    let name = nameFromSlug(operation.headers.slug, limits.slugBytesMax);
    const wanted = parseTarget(`${operation.target.path}${encodeSegment(name)}${slash}`);
    // Whoever may not see the folder learns nothing about its names, not even that one is free.
    const isFree =
      (await mayRead(operation.target.path)) &&
      ALLOWED[natureOf(wanted, pod.name)].includes("PUT") &&
      !(await findResource(transaction, wanted.path)) &&
      !(await findResource(transaction, otherForm(wanted.path)));
    if (!isFree && operation.headers.slug !== undefined) name = unguessable(name);
    const target = parseTarget(`${operation.target.path}${encodeSegment(name)}${slash}`);
    const url = `${origin}${target.path}`;
    if (prepared?.kind === "container") {
      // As with documents: relative references mean the new folder. https://www.w3.org/TR/ldp/#ldpc-post-rdfnullrel
      const { source } = prepared;
      const quads = source ? await parseRdf(source.bytes, source.contentType, url, limits) : [];
      checkMembers(url, quads);
      putContainer(edit, target.path);
      await link(edit, target.path);
      await describeContainer(edit, target, quads);
      return { answer: answer(201, pod, target, true) };
    }
    if (prepared?.kind === "rdf") {
      // Relative references mean the new resource, whose name is certain only now.
      const quads =
        url === provisionalUrl(operation)
          ? prepared.quads
          : await parseRdf(prepared.bytes, prepared.contentType, url, limits);
      await checkNew(transaction, pod, url, target, quads);
    } else {
      await checkNew(transaction, pod, url, target, []);
    }
    const content = prepared?.kind === "rdf" ? { ...prepared, bytes: prepared.bytes } : contentOf(prepared);
    await putDocument(edit, target.path, content);
    return { answer: answer(201, pod, target, true) };
  }

  async function patch(
    edit: Edit,
    pod: Pod,
    operation: Operation,
    prepared: Prepared,
    mayRead: MayRead,
  ): Promise<Written> {
    if (prepared?.kind !== "patch") throw new Problem("patch-invalid");
    return change(edit, pod, operation, (before) => applyPatch(prepared.patch, before), mayRead);
  }

  async function change(
    edit: Edit,
    pod: Pod,
    operation: Operation,
    changed: (before: readonly Quad[]) => readonly Quad[],
    mayRead: MayRead,
  ): Promise<Written> {
    const { transaction } = edit;
    await checkConditions(transaction, operation);
    // A container's representation is the server's; what its owner says about it is patched in its description.
    const target: Target = operation.target.isContainer
      ? { ...operation.target, isContainer: false, auxiliary: "meta" }
      : operation.target;
    const url = operation.target.isContainer ? `${operation.url}.meta` : operation.url;
    if (target.auxiliary === "meta" && target.subject.endsWith("/"))
      rules.checkPatch(pod, operation, await constraintsOf(transaction, target.subject));
    const stored = await findStored(transaction, target);
    if (stored && (!stored.isRdf || !stored.bytes))
      throw new Problem("conflict", "Only RDF documents can be patched");
    const before = stored?.bytes ? await parseRdf(stored.bytes, stored.contentType, url) : [];
    const after = changed(before);
    checkDescription(target, after);
    if (target.auxiliary === "acl") deps.checkAcl(after, url, `${origin}${target.subject}`, pod);
    else if (!target.auxiliary) {
      await checkShape(transaction, target.path, after, await mayRead(target.path));
      const kind = await keptKind(transaction, pod, origin, url);
      if (kind) checkKept(pod, kind, before, after);
    }
    const contentType = stored?.contentType ?? "text/turtle";
    const prefixes = stored?.bytes && contentType.startsWith("text/turtle") ? prefixesOf(stored.bytes) : {};
    const bytes = await serializeRdf(after, contentType, { baseIri: url, prefixes });
    // What nobody could have sent in one piece, nobody could read again either.
    const bytesMax = target.auxiliary ? limits.aclBytesMax : limits.rdfBytesMax;
    if (bytes.length > bytesMax)
      throw new Problem("body-too-large", `A document has at most ${bytesMax} bytes`);
    if (after.length > limits.rdfQuadsMax)
      throw new Problem("body-too-large", `A document has at most ${limits.rdfQuadsMax} statements`);
    await putRdf(edit, target, contentType, bytes);
    return { answer: answer(stored ? 204 : 201, pod, operation.target, !stored) };
  }

  async function remove(
    edit: Edit,
    pod: Pod,
    operation: Operation,
    _prepared: Prepared,
    mayRead: MayRead,
  ): Promise<Written> {
    const { target, url } = operation;
    const { transaction } = edit;
    // 205, for there are clients that take nothing else for done: "reset what you show of it".
    // https://www.rfc-editor.org/rfc/rfc9110#section-15.3.6
    const gone = withoutEtag(answer(205, pod, target));
    if (target.auxiliary) {
      if (!(await findStored(transaction, target))) throw new Problem("not-found");
      await checkConditions(transaction, operation);
      await removeAuxiliary(edit, target.subject, target.auxiliary);
      return { answer: gone };
    }
    const found = await findResource(transaction, target.path);
    if (!found) {
      const other = otherForm(target.path);
      if (!(await findResource(transaction, other)) || !(await mayRead(other)))
        throw new Problem("not-found");
      const moved: Result = { status: 308, headers: { location: `${origin}${other}` }, body: null };
      return { answer: () => moved };
    }
    await checkConditions(transaction, operation);
    if (isProfile(pod, url)) throw new Problem("protected-triple", "The profile itself cannot be deleted");
    rules.checkReplace(operation, await constraintsOf(transaction, parentOf(target.path)));
    const property = await leadsTo(transaction, pod, origin, url);
    if (property !== null)
      throw new Problem(
        "protected-triple",
        `The owner's profile leads here by ${property}; change that first`,
      );
    await removeResource(edit, target.path, found.record);
    return { answer: gone };
  }

  /** Where a POST would create, if the name is free: what relative references are read against first. */
  function provisionalUrl(operation: Operation): string {
    const slug = operation.headers.slug;
    return slug === undefined
      ? operation.url
      : `${operation.url}${encodeSegment(nameFromSlug(slug, limits.slugBytesMax))}`;
  }

  return {
    async prepare(pod, operation, reclaims) {
      const { method, target } = operation;
      if (method === "DELETE") return null;
      if (method === "PATCH") return preparePatch(operation, limits);
      const asContainer = method === "POST" ? asksForContainer(operation) : target.isContainer;
      if (method === "PUT" && !asContainer && asksForContainer(operation))
        throw new Problem("bad-request", "The address of a folder ends in /");
      const base = method === "POST" ? provisionalUrl(operation) : operation.url;
      const checkRoom = (bytes: number) => deps.checkRoom(pod, target.path, bytes, reclaims);
      return prepareContent(operation, asContainer, base, pod.id, blobs, limits, checkRoom);
    },
    act(edit, pod, operation, prepared, mayRead) {
      const acts = { PUT: put, POST: post, PATCH: patch, DELETE: remove } as const;
      const act = acts[operation.method as keyof typeof acts];
      return act(edit, pod, operation, prepared, mayRead);
    },
    change,
    async replace(edit, pod, target, content) {
      const url = `${origin}${target.path}`;
      const quads =
        content.kind === "rdf" && content.bytes instanceof Uint8Array
          ? await parseRdf(content.bytes, content.contentType, url, limits)
          : [];
      await checkNew(edit.transaction, pod, url, target, quads);
      if (target.auxiliary && content.bytes instanceof Uint8Array)
        await putRdf(edit, target, content.contentType, content.bytes);
      else await putDocument(edit, target.path, content);
    },
    async discard(pod, prepared) {
      if (prepared?.kind === "blob") await blobs.release(pod.id, prepared.hash);
    },
  };
}

/** For an act after which the target has no representation, or the one it had. */
function withoutEtag(answer: (generation: number) => Result): (generation: number) => Result {
  return (generation) => {
    const result = answer(generation);
    const { etag: _etag, ...headers } = result.headers;
    return { ...result, headers };
  };
}

function contentOf(prepared: Prepared): Content {
  if (prepared?.kind === "blob")
    return { kind: "binary", contentType: prepared.contentType, bytes: prepared };
  if (prepared?.kind === "binary") return prepared;
  throw new Problem("content-type-missing");
}
