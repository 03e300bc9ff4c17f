/**
 * Links that stay good when a pod moves: an address below a storage that a passport named once is an address below the
 * storage that it names now. The old host may redirect, say that nothing is there, or be gone.
 */
import { type Fetch, FreeholdError } from "./errors.ts";
import { type PassportId, readId } from "./passport/identifier.ts";
import { type Resolution, type ResolveOptions, resolve } from "./resolve.ts";

/** A storage that a passport named, and where it is now. */
export interface Place {
  readonly passport: PassportId;
  /** The storage's name in the passport, such as `#pod`. */
  readonly storage: string;
  /** Root of the storage now, as far as is known. */
  readonly now: string;
}

/** Remembers, for each root of a storage, whose it is. Keep it longer than the program runs, and old links live longer, too. */
export interface Places {
  /** @param root Ends in a slash. */
  get(root: string): Promise<Place | null>;
  set(root: string, place: Place): Promise<void>;
}

const PLACES_MAX = 10_000; // The oldest is forgotten first.
const FOLDERS_MAX = 32; // How far up the root of a storage is looked for.

/** Places that are remembered as long as they are held. */
export function createPlaces(): Places {
  const known = new Map<string, Place>();
  return {
    get: async (root) => known.get(root) ?? null,
    async set(root, place) {
      known.delete(root);
      known.set(root, place);
      for (const oldest of known.keys()) {
        if (known.size <= PLACES_MAX) break;
        known.delete(oldest);
      }
    },
  };
}

export interface PassportFetchOptions extends ResolveOptions {
  /** Sends requests to pods as somebody. Resolvers are asked by nobody in particular. */
  readonly fetch?: Fetch;
  readonly places?: Places;
  /** Resolves passports; a passport cache's, where there is one. */
  readonly resolve?: (passport: string) => Promise<Resolution>;
}

/** A fetch for addresses in pods that finds them where they are now. */
export interface PassportFetch {
  /** As the platform's own; also takes `did:dcann:…?service=pod&relativeRef=/notes/`. */
  (input: string, init?: RequestInit): Promise<Response>;
  /** Remembers whose storages these are, so that their addresses can be followed. Any passport, or what it was resolved to. */
  learn(passport: string | Resolution): Promise<Resolution>;
  /** Where an address is now, as far as its passport says; asks the passport's registry. */
  addressOf(url: string): Promise<string>;
}

export const isPassportFetch = (fetch: Fetch | PassportFetch): fetch is PassportFetch =>
  "addressOf" in fetch && "learn" in fetch;

const MOVED: readonly number[] = [301, 302, 303, 307, 308];
/** Nothing is there; or the old host does not know any more who may ask. */
const MISSING: readonly number[] = [401, 403, 404, 410];

const foldersOf = (url: string): readonly string[] => {
  const { origin, pathname } = new URL(url);
  const parts = pathname.split("/").slice(1, -1);
  const roots = Array.from({ length: parts.length + 1 }, (_, count) =>
    [origin, ...parts.slice(0, count), ""].join("/"),
  );
  return roots.toReversed().slice(0, FOLDERS_MAX);
};

/** Folds the moves that a passport tells of, in their order, then what the storage of that name is today. */
export function follow(
  url: string,
  { moved, storage }: Pick<Resolution, "moved" | "storage">,
  root: string,
  name: string,
): string {
  const current = (address: string): boolean => storage.some((place) => address.startsWith(place.url));
  if (current(url)) return url;
  let now = url;
  for (const { from, to } of moved) if (now.startsWith(from)) now = to + now.slice(from.length);
  if (current(now)) return now;
  // A passport tells of its last moves only.
  const today = storage.find(({ id }) => id === name)?.url;
  return today === undefined ? url : today + url.slice(root.length);
}

/** A did:dcann address with parameters, as the address it stands for. */
function addressOfDid(url: string, { storage, pod }: Resolution): string {
  const parameters = new URL(url).searchParams;
  const service = parameters.get("service");
  const base =
    service === null ? pod : storage.find(({ id }) => id === `#${service.replace(/^.*#/, "")}`)?.url;
  const place = (parameters.get("relativeRef") ?? "").replace(/^\/+/, "");
  const full = base !== undefined && URL.canParse(`./${place}`, base) ? new URL(`./${place}`, base).href : "";
  if (base !== undefined && full.startsWith(base)) return full;
  throw new FreeholdError("input-invalid", "This address leads to no place of the passport", { detail: url });
}

/** Bodies that can be sent a second time. */
const isAgain = (body: RequestInit["body"]): boolean => !(body instanceof ReadableStream);

/**
 * A fetch that follows people when they change hosts. It learns where storages are from passports ({@link PassportFetch.learn});
 * addresses of others it leaves as they are. A redirect of the old host is believed only if the passport says the same, so
 * no login is ever sent to where an old host would like it.
 * ```ts
 * const fetch = createPassportFetch({ fetch: login.fetch, resolvers, places: filePlaces("places") });
 * await fetch.learn(passport);
 * await fetch("https://old-host.example/ana/notes/today.ttl"); // wherever that is by now
 * ```
 * @throws FreeholdError `input-invalid`, and as `resolve`; what the platform throws for a host that is gone, if the passport
 * knows of no other.
 */
export function createPassportFetch(options: PassportFetchOptions = {}): PassportFetch {
  const { fetch = globalThis.fetch, places = createPlaces() } = options;
  const ask =
    options.resolve ?? ((passport: string) => resolve(passport, { ...options, fetch: globalThis.fetch }));

  async function learn(passport: string | Resolution): Promise<Resolution> {
    const found = typeof passport === "string" ? await ask(passport) : passport;
    const { id, storage, moved } = found;
    for (const { id: name, url } of storage) {
      await places.set(url, { passport: id, storage: name, now: url });
      // Whoever was there before is followed, too: the end of the moves from there is this storage.
      for (const { from } of moved)
        if (follow(from, found, from, name) === url)
          await places.set(from, { passport: id, storage: name, now: url });
    }
    return found;
  }

  async function placeOf(url: string): Promise<{ readonly root: string; readonly place: Place } | null> {
    for (const root of foldersOf(url)) {
      const place = await places.get(root);
      if (place) return { root, place };
    }
    return null;
  }

  /** @returns null when its passport cannot be asked. */
  async function moved(url: string, root: string, place: Place): Promise<string | null> {
    const found = await ask(place.passport).catch((error: unknown) => {
      if (error instanceof FreeholdError) return null; // The first answer is then the better reason.
      throw error;
    });
    if (!found) return null;
    await learn(found);
    const now = follow(url, found, root, place.storage);
    const today = found.storage.find(({ id }) => id === place.storage)?.url;
    if (today !== undefined) await places.set(root, { ...place, now: today });
    return now;
  }

  async function get(url: string, init: RequestInit = {}): Promise<Response> {
    if (url.startsWith("did:")) {
      const reading = readId(url.split(/[/?#]/, 1)[0] ?? "");
      if (reading.kind === "broken")
        throw new FreeholdError("input-invalid", "This is not a passport's address", {
          detail: reading.hint,
        });
      return get(addressOfDid(url, await learn(reading.id)), init);
    }
    const known = await placeOf(url);
    if (!known || !isAgain(init.body)) return fetch(url, init);
    const { root, place } = known;
    const start = place.now === root ? url : place.now + url.slice(root.length);
    let response: Response;
    try {
      // Nothing is sent on before the passport has said the same.
      response = await fetch(start, { ...init, redirect: "manual" });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      const now = await moved(url, root, place);
      if (now === null || now === start) throw error;
      return fetch(now, init);
    }
    const isRedirect = response.type === "opaqueredirect" || MOVED.includes(response.status);
    if (!isRedirect && !MISSING.includes(response.status)) return response;
    const now = await moved(url, root, place);
    if (now !== null && now !== start) {
      await response.body?.cancel();
      return fetch(now, init);
    }
    if (!isRedirect || init.redirect === "manual") return response;
    await response.body?.cancel();
    return fetch(start, init); // Within the pod, or to where anybody may look: as the platform does it.
  }

  return Object.assign((input: string, init?: RequestInit) => get(input, init), {
    learn,
    async addressOf(url: string) {
      const known = await placeOf(url);
      return known ? ((await moved(url, known.root, known.place)) ?? url) : url;
    },
  });
}
