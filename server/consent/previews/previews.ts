/**
 * What somebody would get, shown to the owner before it is given: by the same code that serves it. Of documents the first
 * few, and how many there are; of less than documents the view as it would be made for this vendor. It is the owner who
 * looks: no use is counted, and no journal says that the vendor saw anything.
 */
import { frozenIn } from "../../access/restriction.ts";
import { Problem } from "../../errors.ts";
import { nameOf, parentOf } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import type { Agent } from "../../operation.ts";
import { mediaTypeOf } from "../../rdf/media.ts";
import { parseRdf } from "../../rdf/parse.ts";
import type { Quad } from "../../rdf/terms.ts";
import type { Pod } from "../../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import type { Policy } from "../model.ts";
import { placesOf } from "../states.ts";
import { isViewed } from "../views/instances.ts";
import { type ChooseSources, EVERYTHING } from "../views/make.ts";
import { GENID_PATH } from "../views/pairwise.ts";
import type { Views } from "../views/views.ts";
import { type Told, tell } from "./things.ts";

export interface PreviewsDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly choose: ChooseSources;
  readonly views: Pick<Views, "preview">;
}

/** What one policy would give now. */
export interface Preview extends Told {
  /** Whether the vendor gets less than documents: a view. */
  readonly isView: boolean;
  /** Whether only a part was looked at: there is more than the numbers say. */
  readonly isCut: boolean;
  /** Documents that would be given themselves: the first few, and how many there are. */
  readonly documents: number;
  readonly files: readonly { readonly path: string; readonly contentType: string; readonly bytes: number }[];
}

export interface Previews {
  /**
   * One for each policy.
   * @param assignee WebID of whoever would get it.
   * @param agent The owner.
   * @throws Problem as a query does.
   */
  of(
    snapshot: Snapshot,
    pod: Pod,
    policies: readonly Policy[],
    assignee: string,
    agent: Agent,
  ): Promise<readonly Preview[]>;
}

const NOTHING: Preview = Object.freeze({
  isView: false,
  isCut: false,
  documents: 0,
  files: [],
  things: [],
  total: 0,
  fields: [],
});
const FILES_SHOWN = 4;
const DOCUMENTS_COUNTED = 5_000; // Who has more than that is not helped by the exact number.
const FOLDERS_WALKED = 5_000;
const DOCUMENTS_READ = 8;
const BYTES_READ = 256 * 1024;
const TRIPLES_READ = 20_000;

interface Document {
  readonly path: string;
  readonly record: ResourceRecord;
}

/** All documents at some places, folder by folder. */
async function* documentsAt(snapshot: Snapshot, places: readonly string[]): AsyncGenerator<Document> {
  for (const place of places)
    if (place.endsWith("/")) {
      const folders = [place];
      for (const folder of folders)
        for await (const entry of snapshot.list("resource", folder)) {
          const path = `${folder}${entry.item}`;
          if (!path.endsWith("/")) yield { path, record: decodeRecord<ResourceRecord>(entry) };
          else if (folders.length < FOLDERS_WALKED) folders.push(path); // An array's loop sees what is added.
        }
    } else {
      const entry = await snapshot.get("resource", parentOf(place) ?? "", nameOf(place));
      if (entry) yield { path: place, record: decodeRecord<ResourceRecord>(entry) };
    }
}

/** The first lines of N-Triples: as many as are looked at. */
function startOf(bytes: Uint8Array, triples: number): Uint8Array {
  if (triples <= TRIPLES_READ) return bytes;
  let end = 0;
  for (let lines = 0; lines < TRIPLES_READ && end >= 0; lines++) end = bytes.indexOf(10, end) + 1;
  return bytes.subarray(0, end);
}

export function createPreviews({ baseUrl, limits, choose, views }: PreviewsDeps): Previews {
  const genid = `${baseUrl}${GENID_PATH}`;
  const read = (bytes: Uint8Array): Promise<Quad[]> =>
    parseRdf(bytes, "application/n-triples", "urn:freehold:preview", {
      ...limits,
      rdfQuadsMax: limits.viewTriplesMax,
      rdfBytesMax: limits.queryOwnerResultBytesMax,
    });

  /** What is too much to be made for a vendor, is too much here, and nothing would be given. */
  const unlessTooMuch = async (work: () => Promise<Preview>, otherwise: Preview): Promise<Preview> =>
    work().catch((error: unknown) => {
      if (error instanceof Problem && error.code === "query-refused") return otherwise;
      throw error;
    });

  const ofView = (
    snapshot: Snapshot,
    pod: Pod,
    policy: Policy,
    assignee: string,
    agent: Agent,
  ): Promise<Preview> =>
    unlessTooMuch(
      async () => {
        const { bytes, triples } = await views.preview(snapshot, pod, policy, assignee, agent);
        const told = tell(await read(startOf(bytes, triples)), genid);
        return { ...NOTHING, ...told, isView: true, isCut: triples > TRIPLES_READ };
      },
      { ...NOTHING, isView: true, isCut: true },
    );

  async function ofDocuments(snapshot: Snapshot, pod: Pod, policy: Policy, agent: Agent): Promise<Preview> {
    const isFrozen = await frozenIn(snapshot);
    const { mediaTypes } = policy;
    const files: Document[] = [];
    const records = new Set<string>();
    let [documents, bytes, isCut] = [0, 0, false];
    for await (const document of documentsAt(snapshot, placesOf(pod.name, policy))) {
      const { path, record } = document;
      if (isFrozen(path) || (mediaTypes && !mediaTypes.includes(mediaTypeOf(record.contentType)))) continue;
      if (documents === DOCUMENTS_COUNTED) {
        isCut = true;
        break;
      }
      documents++;
      if (files.length < FILES_SHOWN) files.push(document);
      if (record.kind !== "rdf" || records.size === DOCUMENTS_READ) continue;
      if (records.size > 0 && bytes + record.bytes > BYTES_READ) continue;
      records.add(path);
      bytes += record.bytes;
    }
    const found = {
      ...NOTHING,
      documents,
      isCut,
      files: files.map(({ path, record: { contentType, bytes: size } }) => ({
        path,
        contentType,
        bytes: size,
      })),
    };
    if (records.size === 0) return found;
    return unlessTooMuch(
      async () => {
        const name = JSON.stringify(["preview", [...records]]);
        const source = await choose(snapshot, pod, name, (path) => records.has(path));
        const said = await source.construct(EVERYTHING, agent.webid ?? "", TRIPLES_READ);
        return { ...found, ...tell(await read(said), genid) };
      },
      { ...found, isCut: true },
    );
  }

  return {
    of: (snapshot, pod, policies, assignee, agent) =>
      Promise.all(
        policies.map(async (policy) => {
          if (!policy.actions.includes("read")) return NOTHING;
          return isViewed(policy)
            ? ofView(snapshot, pod, policy, assignee, agent)
            : ofDocuments(snapshot, pod, policy, agent);
        }),
      ),
  };
}
