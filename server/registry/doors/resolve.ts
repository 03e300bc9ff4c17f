/**
 * `POST /v1/resolve`: up to a thousand passports in one answer. The first line has the epoch that all others are proved by;
 * each further one says of one identifier, in the order in which they were asked for, what `GET /v1/passports/{id}` would.
 */
import { type IdReading, isObject, readId, zoneOf } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Door } from "../../operation.ts";
import type { Published } from "../port.ts";
import { epochText, lineText } from "./answer.ts";
import { readStrict } from "./door.ts";
import { type Atlas, findSpots, type Spot, urlOfZone } from "./find.ts";
import { createSeats } from "./seats.ts";

const BYTES_PER_ID = 80; // An identifier as a DID, quoted, with a comma and room to breathe.
const PART_CHARACTERS = 64 * 1024;

const line = (value: object): string => `${JSON.stringify(value)}\n`;

function knownLine(atlas: Atlas, { finding, published }: Spot): string {
  if (finding.kind === "present") return lineText(finding, published.zone, finding.hold ? 451 : 200);
  const { id, map, end } = finding;
  const proof = { zone: published.zone, map, end };
  if (finding.kind === "erased") return line({ id, status: 410, title: "Erased", ...proof });
  if (finding.kind === "absent") return line({ id, status: 404, title: "No such passport", ...proof });
  const url = urlOfZone(atlas, finding.to);
  const location = url === null ? {} : { location: `${url}v1/passports/${id}` };
  return line({ id, status: 307, title: "In another zone", to: finding.to, ...location, ...proof });
}

function lineOf(atlas: Atlas, asked: string, spot: Spot | null | undefined, hint: string | null): string {
  if (hint !== null)
    return line({ id: asked, status: 400, title: "This is not a passport identifier", hint });
  if (spot) return knownLine(atlas, spot);
  const reading = readId(asked);
  const id = reading.kind === "id" ? reading.id : null;
  const url = id && urlOfZone(atlas, zoneOf(id));
  return id && url
    ? line({ id, status: 307, title: "In another zone", location: `${url}v1/passports/${id}` })
    : line({ id: asked, status: 404, title: "No such passport in these zones" });
}

/** Epochs by zone: what all lines of a zone are proved by. */
function firstLine(spots: readonly (Spot | null)[]): string {
  const epochs = new Map<string, Published>();
  for (const spot of spots) if (spot) epochs.set(spot.published.zone, spot.published);
  const texts = [...epochs].map(
    ([zone, published]) => `${JSON.stringify(zone)}:${epochText(published).whole}`,
  );
  return `{"epochs":{${texts.join(",")}}}\n`;
}

export interface ResolveDeps extends Atlas {
  readonly limits: Limits;
}

export function createResolveDoor({ limits, ...atlas }: ResolveDeps): Door {
  const { batchIdentifiersMax: most, batchMsMax } = limits;
  // Who reads slowly must not make this process hold many of these: each is some megabytes.
  const takeSeat = createSeats({
    most: limits.batchesRunningMax,
    perNetwork: limits.batchesPerNetworkMax,
    says: "Too many batches are being answered",
    retrySeconds: 1,
  });

  /** Written as they are read: the text of all of them is megabytes, and what it is made of stands in the cache. */
  async function* lines(
    asked: readonly string[],
    readings: readonly IdReading[],
    spots: readonly (Spot | null)[],
  ): AsyncGenerator<Uint8Array> {
    let part = firstLine(spots);
    let next = 0;
    for (const [index, text] of asked.entries()) {
      const reading = readings[index];
      const hint = reading?.kind === "broken" ? reading.hint : null;
      part += lineOf(atlas, text, hint === null ? spots[next++] : null, hint);
      if (part.length < PART_CHARACTERS) continue;
      yield Buffer.from(part);
      part = "";
    }
    if (part !== "") yield Buffer.from(part);
  }

  return async (request) => {
    const { value } = await readStrict(request, most * BYTES_PER_ID);
    const ids = isObject(value) ? value["ids"] : null;
    if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string"))
      throw new Problem("input-invalid", 'Send {"ids":[…]}');
    if (ids.length > most) throw new Problem("input-invalid", `At most ${most} identifiers at once`);
    const release = takeSeat(request.ip);
    // Whatever becomes of the answer: who went away before it began is never told of as closed.
    const forgotten = setTimeout(release, 2 * batchMsMax).unref();
    try {
      const readings = ids.map((text) => readId(text));
      const known = readings.flatMap((reading) => (reading.kind === "id" ? [reading.id] : []));
      const spots = await findSpots(atlas, known);
      return {
        status: 200,
        headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
        body: lines(ids, readings, spots),
        whileSent(end) {
          const cut = setTimeout(end, batchMsMax);
          return () => {
            clearTimeout(cut);
            clearTimeout(forgotten);
            release();
          };
        },
      };
    } catch (error) {
      clearTimeout(forgotten);
      release();
      throw error;
    }
  };
}
