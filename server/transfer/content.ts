/** One entry of an archive becomes what a pod can hold: checked, with the addresses of its new place, large files streamed. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { isRdfType, mediaTypeOf } from "../rdf/media.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { Blobs } from "../store/store.ts";
import type { Member } from "./archive.ts";
import type { Content } from "./arrivals.ts";
import { mergedCard } from "./card.ts";
import { type Move, rebase, write } from "./rebase.ts";
import { typeOfName } from "./types.ts";

export interface Expected {
  /** As the manifest says; null to be judged by name and content. */
  readonly contentType: string | null;
  readonly kind: "rdf" | "binary" | null;
  /** Hexadecimal. */
  readonly sha256: string | null;
  readonly bytes: number;
}

export interface Place {
  /** Absolute, before and after the move. */
  readonly before: string;
  readonly after: string;
  /** Statements of the present document of the owner's WebID, if this is it. */
  readonly card: readonly Quad[] | null;
}

export interface Taken {
  readonly content: Content;
  readonly isRewritten: boolean;
  /** Why it is not stored as what it says it is. */
  readonly remark: string | null;
}

export interface ReadingDeps {
  readonly pod: Pod;
  readonly blobs: Blobs;
  readonly limits: Limits;
  readonly move: Move;
}

const damaged = (name: string): Problem =>
  new Problem("archive-invalid", `${JSON.stringify(name.slice(0, 100))} is not what the manifest says`);

/** The whole of an entry. @throws Problem `archive-invalid` for one that is not what the manifest says. */
async function readMember(member: Member, sha256: string | null, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of (await member.open()) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Problem("body-too-large", `At most ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  const whole = Buffer.concat(chunks);
  if (sha256 !== null && createHash("sha256").update(whole).digest("hex") !== sha256)
    throw damaged(member.name);
  return whole;
}

export interface Reading {
  /** @throws Problem `archive-invalid`, `body-too-large`. */
  take(member: Member, expected: Expected, place: Place): Promise<Taken>;
  /** An access list or a description. @throws Problem also `rdf-invalid`. */
  takeAuxiliary(
    member: Member,
    expected: Pick<Expected, "contentType" | "sha256">,
    place: Omit<Place, "card">,
  ): Promise<{
    readonly contentType: string;
    readonly bytes: Uint8Array;
    readonly quads: readonly Quad[];
    readonly isRewritten: boolean;
  }>;
}

export function createReading({ pod, blobs, limits, move }: ReadingDeps): Reading {
  async function takeRdf(bytes: Buffer, contentType: string, place: Place): Promise<Taken> {
    const type = mediaTypeOf(contentType);
    const moved = await rebase({ bytes, contentType: type }, place, move, limits);
    const quads = place.card ? mergedCard(moved.quads, place.card, pod.owner) : moved.quads;
    const isMerged = quads !== moved.quads;
    const rewritten = isMerged
      ? await write(quads, { bytes, contentType: type }, place.after, move)
      : moved.bytes;
    return {
      content: { kind: "rdf", contentType, bytes: rewritten },
      isRewritten: isMerged || moved.isChanged,
      remark: null,
    };
  }

  async function takeBinary(member: Member, contentType: string, sha256: string | null): Promise<Taken> {
    const taken = (bytes: Content["bytes"]): Taken => ({
      content: { kind: "binary", contentType, bytes },
      isRewritten: false,
      remark: null,
    });
    if (member.bytes <= limits.inlineBytesMax)
      return taken(await readMember(member, sha256, limits.inlineBytesMax));
    if (member.bytes > limits.blobBytesMax)
      throw new Problem("body-too-large", `At most ${limits.blobBytesMax} bytes`);
    const digest = createHash("sha256");
    const stored = await blobs.write(pod.id, counted(await member.open(), digest), limits.blobBytesMax);
    if (sha256 !== null && digest.digest("hex") !== sha256) {
      await blobs.release(pod.id, stored.hash);
      throw damaged(member.name);
    }
    return taken(stored);
  }

  return {
    async take(member, { contentType, kind, sha256, bytes }, place) {
      if (bytes !== member.bytes) throw damaged(member.name);
      const type = contentType ?? typeOfName(member.name);
      const isRdf = kind === null ? type === null || isRdfType(type) : kind === "rdf";
      // Nobody could log in any more, for the card says who may speak for its owner.
      if (!isRdf && place.card) throw new Problem("rdf-invalid", "The public card is an RDF document");
      if (!isRdf || (type === null && member.bytes > limits.rdfBytesMax && !place.card))
        return takeBinary(member, plain(type), sha256);
      if (member.bytes > limits.rdfBytesMax && !place.card)
        return { ...(await takeBinary(member, "text/plain", sha256)), remark: "too large for a document" };
      const whole = await readMember(member, sha256, limits.rdfBytesMax);
      try {
        return await takeRdf(whole, type ?? "text/turtle", place);
      } catch (error) {
        // What says it is RDF and is not is kept as the text it is; but not in the place of the card.
        if (!(error instanceof Problem) || place.card) throw error;
        const content = await takeBinary(
          member,
          type === null ? "application/octet-stream" : "text/plain",
          sha256,
        );
        return { ...content, remark: type === null ? null : (error.detail ?? error.code) };
      }
    },
    async takeAuxiliary(member, { contentType, sha256 }, place) {
      const type = contentType ?? "text/turtle";
      const whole = await readMember(member, sha256, limits.aclBytesMax);
      const { bytes, quads, isChanged } = await rebase(
        { bytes: whole, contentType: type },
        place,
        move,
        limits,
      );
      return { contentType: type, bytes, quads, isRewritten: isChanged };
    },
  };
}

/** RDF is stored as RDF or not at all: what is no document must not say it is one. */
function plain(type: string | null): string {
  if (type === null) return "application/octet-stream";
  return isRdfType(type) ? "text/plain" : type;
}

async function* counted(
  content: Readable,
  digest: { update(chunk: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content as AsyncIterable<Uint8Array>) {
    digest.update(chunk);
    yield chunk;
  }
}
