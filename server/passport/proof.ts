/**
 * `/.well-known/dcann/{id}`: the proof that this host knows of a passport that leads to it. Whoever is shown a storage by a
 * passport asks here, so that nobody's passport can claim the storage of somebody else.
 */
import { hashOfOperation, isDataInForce, type PassportId, readId } from "@freehold/client/passport";
import { Problem } from "../errors.ts";
import type { Door } from "../operation.ts";
import type { LinkCheck } from "./hosted.ts";
import type { Hosting } from "./hosting.ts";
import type { Known, RegistryLink } from "./link.ts";

export interface ProofDeps {
  /** Ends in a slash. */
  readonly baseUrl: string;
  readonly hosting: Pick<Hosting, "find" | "follow">;
  readonly link: Pick<RegistryLink, "find">;
  readonly linkOf: (known: Known, ip: string) => Promise<LinkCheck | null>;
}

const OPEN = { "access-control-allow-origin": "*", "cache-control": "no-cache" };

const absent = (): Problem => new Problem("not-found", "No such passport leads here", { headers: OPEN });

export function createProofDoor({ baseUrl, hosting, link, linkOf }: ProofDeps): Door {
  const { origin } = new URL(baseUrl);

  /** Its owner may have been at the registry, which tells nobody: then this host says again where the pod is. */
  async function findSpoken(id: PassportId): Promise<Known | null> {
    const known = await link.find(id);
    if (!known || (known.data && isDataInForce(known.state, known.data.op))) return known;
    await hosting.follow(id);
    return link.find(id);
  }

  return async (request) => {
    const reading = readId(request.params["id"] ?? "");
    if (reading.kind === "broken")
      throw new Problem("identifier-invalid", reading.hint, {
        headers: OPEN,
        members: { hint: reading.hint },
      });
    const { id } = reading;
    const hosted = await hosting.find(id);
    if (!hosted || hosted.pod === null) throw absent();
    const known = await findSpoken(id);
    const isHere = known?.data?.op.storage.some(({ url }) => new URL(url).origin === origin) === true;
    if (!known?.data || !isHere) throw absent();
    const dataHash = await hashOfOperation(known.data.op);
    const etag = `"${dataHash}"`;
    const checked = await linkOf(known, request.ip);
    const body = {
      id,
      dataHash,
      data: known.data,
      link: checked && {
        webids: checked.webids,
        isMutual: checked.isMutual,
        at: new Date(checked.at).toISOString(),
      },
    };
    return {
      status: 200,
      headers: { ...OPEN, "content-type": "application/json", etag },
      body: JSON.stringify(body),
    };
  };
}
