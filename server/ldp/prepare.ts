/** Everything about a write that needs no snapshot: reading, parsing, streaming large content to disk. */
import { Readable } from "node:stream";
import { chunksOf, readBody } from "../body.ts";
import { Problem, withHeaders } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Operation } from "../operation.ts";
import { isRdfType, mediaTypeOf } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import { type Patch, parsePatch } from "../rdf/patch.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Blobs, PodId } from "../store/store.ts";
import { CLAUSES, constrainedBy } from "./constraints.ts";
import { ACCEPT_PATCH, ACCEPT_RDF } from "./headers.ts";

export type Prepared =
  | {
      readonly kind: "rdf";
      readonly contentType: string;
      readonly bytes: Uint8Array;
      readonly quads: readonly Quad[];
    }
  | { readonly kind: "binary"; readonly contentType: string; readonly bytes: Uint8Array }
  | { readonly kind: "blob"; readonly contentType: string; readonly hash: string; readonly bytes: number }
  | {
      readonly kind: "container";
      readonly quads: readonly Quad[];
      /** What the statements were read from, for who learns only later against which address. */
      readonly source?: { readonly bytes: Uint8Array; readonly contentType: string };
    }
  | { readonly kind: "patch"; readonly patch: Patch }
  | null;

const TYPE_CHARS_MAX = 512;
const CONTAINER_LINK = /<http:\/\/www\.w3\.org\/ns\/ldp#(?:Basic)?Container>\s*;[^,]*\brel\s*=\s*"?type"?/i;

/** Whether a POST asks for a container. https://www.w3.org/TR/ldp/#ldpc-post-createrdf */
export function asksForContainer(operation: Operation): boolean {
  return CONTAINER_LINK.test(operation.headers.link ?? "");
}

function contentTypeOf(operation: Operation): string {
  const contentType = operation.headers["content-type"];
  if (contentType === undefined || contentType.trim() === "") throw new Problem("content-type-missing");
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;.*)?$/.test(contentType))
    throw new Problem("unsupported-media-type", "This is not a media type");
  // It is kept with the document, and counts for nothing in the pod's quota.
  if (contentType.length > TYPE_CHARS_MAX)
    throw new Problem("unsupported-media-type", `A media type has at most ${TYPE_CHARS_MAX} characters`);
  return contentType;
}

/** RDF is UTF-8 and nothing else: what claims to be written in another way would be read as other words. */
function checkCharset(contentType: string): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== "utf-8" && charset !== "us-ascii")
    throw new Problem("unsupported-media-type", "RDF is sent in UTF-8");
}

/** Refused before a byte has come, if the client says how many there are. */
function checkLength({ headers }: Operation, bytesMax: number): void {
  if (Number(headers["content-length"] ?? 0) > bytesMax)
    throw new Problem("body-too-large", `At most ${bytesMax} bytes`);
}

async function prepareRdf(
  operation: Operation,
  contentType: string,
  bytesMax: number,
  limits: Limits,
  base: string,
) {
  checkCharset(contentType);
  checkLength(operation, bytesMax);
  const bytes = await readBody(operation.body, bytesMax);
  return { bytes, quads: await parseRdf(bytes, contentType, base, limits) };
}

/**
 * The content of a PUT or POST.
 * @param base What relative references in the content are resolved against.
 * @param checkRoom Asked before large content is read.
 * @throws Problem `content-type-missing`, `unsupported-media-type`, `rdf-invalid`, `body-too-large`, `quota-exceeded`.
 */
export async function prepareContent(
  operation: Operation,
  asContainer: boolean,
  base: string,
  pod: PodId,
  blobs: Blobs,
  limits: Limits,
  checkRoom: (bytes: number) => Promise<void>,
): Promise<Prepared> {
  if (operation.headers["content-range"] !== undefined)
    throw new Problem("bad-request", "A part of a resource cannot be written; send all of it, or a PATCH");
  if (asContainer && !operation.body) return { kind: "container", quads: [] };
  const contentType = contentTypeOf(operation);
  const mediaType = mediaTypeOf(contentType);
  const announced = Number(operation.headers["content-length"] ?? 0);
  // What is too large for any pod is told so below.
  if (announced > limits.inlineBytesMax && announced <= limits.blobBytesMax) await checkRoom(announced);
  if (asContainer || operation.target.auxiliary) {
    const bytesMax = operation.target.auxiliary ? limits.aclBytesMax : limits.rdfBytesMax;
    if (!isRdfType(mediaType)) {
      if (asContainer && (await readBody(operation.body, bytesMax)).length === 0)
        return { kind: "container", quads: [] };
      throw new Problem("unsupported-media-type", `Send one of ${ACCEPT_RDF}`);
    }
    const { bytes, quads } = await prepareRdf(operation, contentType, bytesMax, limits, base);
    return asContainer
      ? { kind: "container", quads, source: { bytes, contentType: mediaType } }
      : { kind: "rdf", contentType: mediaType, bytes, quads };
  }
  if (isRdfType(mediaType)) {
    return {
      kind: "rdf",
      contentType: mediaType,
      ...(await prepareRdf(operation, contentType, limits.rdfBytesMax, limits, base)),
    };
  }
  checkLength(operation, limits.blobBytesMax);
  const declared = Number(operation.headers["content-length"] ?? (operation.body ? Number.NaN : 0));
  if (declared <= limits.inlineBytesMax) {
    return { kind: "binary", contentType, bytes: await readBody(operation.body, limits.inlineBytesMax) };
  }
  const content = chunksOf(operation.body ?? Readable.from([]));
  const { hash, bytes } = await blobs.write(pod, content, limits.blobBytesMax);
  return { kind: "blob", contentType, hash, bytes };
}

/** @throws Problem `unsupported-media-type` with Accept-Patch, `patch-invalid`. */
export async function preparePatch(operation: Operation, limits: Limits): Promise<Prepared> {
  const mediaType = mediaTypeOf(contentTypeOf(operation));
  if (mediaType !== "text/n3" && mediaType !== "application/sparql-update") {
    throw new Problem("unsupported-media-type", `Send a patch as one of ${ACCEPT_PATCH}`, {
      headers: { "accept-patch": ACCEPT_PATCH },
    });
  }
  checkLength(operation, limits.patchBytesMax);
  const bytes = await readBody(operation.body, limits.patchBytesMax);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("bad-request", "The patch is not UTF-8", { cause });
  }
  try {
    return { kind: "patch", patch: parsePatch(text, mediaType, operation.url) };
  } catch (error) {
    if (!(error instanceof Problem) || mediaType !== "text/n3") throw error;
    throw withHeaders(error, constrainedBy(CLAUSES.n3Patch));
  }
}
