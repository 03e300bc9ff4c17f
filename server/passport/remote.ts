/** A registry elsewhere: asked over HTTP, and believed in nothing that does not prove itself. */
import {
  type AllowUrl,
  type Bundle,
  createMemory,
  FreeholdError,
  type Memory,
  PassportError,
  type PassportId,
  type PinnedRoot,
  parsePassportId,
  type RootRecord,
  refuseRollback,
  remember,
  type Signed,
  trustOf,
  type VerifiedAnswer,
  verifyAnswer,
  type Whereabouts,
  whereaboutsOf,
  zoneOf,
} from "@freehold/client/registry";
import { Problem, type ProblemCode } from "../errors.ts";
import type { SafeSend, Sent } from "../safe-fetch.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import type { Known, RegistryLink, Taken } from "./link.ts";

const ANSWER_BYTES_MAX = 1024 * 1024; // Chain and data of a long life; more is an attack.
const ROOT_BYTES_MAX = 4 * 1024 * 1024;
const HOPS_MAX = 2; // To the zone it went to, and once more while it goes on.
/** A passport that is not there, that was erased, and one that is held: each with its proof. */
const PROVING: readonly number[] = [200, 404, 410, 451];

export interface RemoteDeps {
  readonly store: Store;
  readonly now: () => Date;
  /** Address of the registry, ending in a slash. */
  readonly registry: string;
  readonly registrar: string;
  readonly zones: readonly string[];
  readonly send: SafeSend;
  /** Origins that passports may name although they are private or without TLS. */
  readonly allowUrl: AllowUrl;
}

/** The root's record that was believed first stays believed, through restarts; what was seen of passports, until one. */
function createStoredMemory(store: Store, registry: string): Memory {
  const memory = createMemory();
  const item = `root of ${registry}`;
  return {
    ...memory,
    root: () =>
      store.read(SERVER_POD, async (snapshot) => {
        const entry = await snapshot.get("setting", "registry", item);
        return entry && decodeRecord<PinnedRoot>(entry);
      }),
    setRoot: async (_, pinned) =>
      void (await store.write(SERVER_POD, async (transaction) => {
        if (pinned) transaction.put("setting", "registry", item, encodeRecord(pinned));
        else transaction.delete("setting", "registry", item);
      })),
  };
}

const text = ({ bytes }: Sent): string => {
  if (!bytes) throw new Problem("unavailable", "The registry's answer broke off, or is too long");
  return new TextDecoder().decode(bytes);
};

interface Refusal {
  readonly type?: unknown;
  readonly detail?: unknown;
  readonly rule?: unknown;
  readonly says?: unknown;
  readonly aseq?: unknown;
  readonly dseq?: unknown;
}

const CODES: Readonly<Record<number, ProblemCode>> = {
  400: "operation-invalid",
  404: "not-found",
  409: "conflict",
  410: "gone",
  422: "operation-invalid",
  429: "too-many-requests",
};

/** The registry's refusal in this server's words: whoever sent the operation here knows no other. */
function refusalOf(sent: Sent): Problem {
  let said: Refusal = {};
  try {
    said = JSON.parse(text(sent)) as Refusal;
  } catch {
    // A refusal without words is one all the same.
  }
  const code = CODES[sent.status] ?? "unavailable";
  const detail = typeof said.detail === "string" ? said.detail : `The registry answered ${sent.status}`;
  const { rule, says, aseq, dseq } = said;
  const wait = sent.headers["retry-after"];
  return new Problem(code, detail, {
    members: {
      ...(rule !== undefined && { rule }),
      ...(says !== undefined && { says }),
      ...(aseq !== undefined && { aseq }),
      ...(dseq !== undefined && { dseq }),
    },
    ...(wait !== undefined && { headers: { "retry-after": wait } }),
  });
}

const unproved = (error: unknown): Problem => {
  if (error instanceof Problem && error.code !== "fetch-failed") return error;
  const isKnown = error instanceof PassportError || error instanceof FreeholdError;
  const detail = isKnown
    ? `The registry's answer does not hold: ${error.message}`
    : "The registry does not answer";
  return new Problem("unavailable", detail, { cause: error });
};

/** Beside what pods need of it: what it says of others, for whoever follows that. */
export interface RemoteLink extends RegistryLink {
  /** The root's record as it is believed now. */
  root(): Promise<RootRecord>;
  /** The text at an address of a registry. @throws Problem for any other answer. */
  textAt(url: string): Promise<string>;
}

export function createRemoteLink(deps: RemoteDeps): RemoteLink {
  const { store, now, registry, registrar, zones, send, allowUrl } = deps;
  const memory = createStoredMemory(store, registry);
  const never = new AbortController().signal;

  const get = (url: string, bytesMax: number): Promise<Sent> =>
    send(url, {
      method: "GET",
      headers: { accept: "application/json" },
      body: null,
      bytesMax,
      kind: "registry",
      signal: never,
    });

  /** For what follows the root's record from version to version. */
  async function fetchRoot(url: string): Promise<Response> {
    const sent = await get(url, ROOT_BYTES_MAX);
    return new Response(text(sent), { status: sent.status });
  }

  const trusting = { memory, fetch: fetchRoot, allowUrl, now: () => now().getTime() };
  const root = async (): Promise<RootRecord> => {
    try {
      return (await trustOf(registry, trusting)).record;
    } catch (error) {
      throw unproved(error);
    }
  };
  /** Where a zone answers itself, by the root's record. */
  const urlOf = async (zone: string): Promise<string> => (await root()).zones[zone]?.urls[0] ?? registry;

  /** @param since Only a root's record that was asked for after this will do. */
  async function judged(
    id: PassportId,
    answer: string,
    ported: { readonly zone?: string },
    since?: number,
  ): Promise<VerifiedAnswer> {
    const { record } = await trustOf(registry, trusting, since);
    return verifyAnswer(answer, id, record, { now: now().getTime(), allowUrl, ...ported });
  }

  /** From a zone, or from where that says it went. */
  async function fetchAnswer(id: PassportId, zone: string): Promise<string> {
    let url = new URL(`v1/passports/${id}`, await urlOf(zone)).href;
    for (let hops = 0; ; hops += 1) {
      const sent = await get(url, ANSWER_BYTES_MAX);
      if (PROVING.includes(sent.status)) return text(sent);
      const { location } = sent.headers;
      if (sent.status !== 307 || location === undefined || hops === HOPS_MAX) throw refusalOf(sent);
      url = new URL(location, url).href;
    }
  }

  /** Where the root's index says that it is; only if the root cannot be asked, the zone of its birth is believed alone. */
  const placeOf = async (id: PassportId, isAnew: boolean): Promise<Whereabouts> =>
    whereaboutsOf(registry, id, await root(), { ...trusting, isAnew });

  async function askIn(
    id: PassportId,
    { zone }: Whereabouts,
  ): Promise<{ readonly answer: VerifiedAnswer; readonly source: string; readonly isThere: boolean }> {
    const source = await fetchAnswer(id, zone ?? zoneOf(id));
    const asked = now().getTime();
    // The root may have changed since it was asked for last.
    const ported = zone === null || zone === zoneOf(id) ? {} : { zone };
    const answer = await judged(id, source, ported).catch(() => judged(id, source, ported, asked));
    return { answer, source, isThere: zone === null || zone === answer.zone };
  }

  async function ask(id: PassportId): Promise<{ readonly answer: VerifiedAnswer; readonly source: string }> {
    try {
      const place = await placeOf(id, false);
      const known = await askIn(id, place).catch((error: unknown) => {
        if (place.isRemembered || (error instanceof PassportError && error.rule === "zone")) return null;
        throw error;
      });
      const isGood = known?.isThere && (known.answer.kind === "present" || !place.isRemembered);
      // It has gone since that was remembered, perhaps.
      const { answer, source, isThere } = isGood ? known : await askIn(id, await placeOf(id, true));
      if (!isThere)
        throw new PassportError("zone", `The passport is not in ${answer.zone} by the root's index`);
      if (answer.kind === "present") {
        const seen = await memory.get(id);
        refuseRollback(answer.passport, seen);
        await memory.set(id, remember(answer.passport, seen));
      }
      return { answer, source };
    } catch (error) {
      throw unproved(error);
    }
  }

  return {
    url: registry,
    registrar,
    zones,
    hasOneHostKey: true,
    root,
    async textAt(url) {
      const sent = await get(url, ROOT_BYTES_MAX);
      if (sent.status !== 200) throw refusalOf(sent);
      return text(sent);
    },
    async find(id): Promise<Known | null> {
      const { answer, source } = await ask(id);
      if (answer.kind === "absent") return null;
      const { data } = (JSON.parse(source) as Bundle).head; // Verified: these are the bytes that hold.
      return { id, state: answer.passport.state, data };
    },
    async bundle(id) {
      const { answer, source } = await ask(id);
      return answer.kind === "absent" ? null : (JSON.parse(source) as Bundle);
    },
    async submit(signed: Signed): Promise<Taken> {
      const { op } = signed;
      const zone = op.t === "create" ? op.zone : (await ask(op.id)).answer.zone;
      const sent = await send(new URL("v1/ops", await urlOf(zone)).href, {
        headers: { "content-type": "application/json", accept: "application/json" },
        body: new TextEncoder().encode(JSON.stringify(signed)),
        bytesMax: ANSWER_BYTES_MAX,
        kind: "registry",
        signal: never,
      }).catch((error: unknown) => {
        throw unproved(error);
      });
      if (sent.status < 200 || sent.status > 299) throw refusalOf(sent);
      const { id, aseq, dseq } = JSON.parse(text(sent)) as { id: string; aseq: number; dseq: number };
      return { id: parsePassportId(id), aseq, dseq, isNew: sent.status !== 200 };
    },
  };
}
