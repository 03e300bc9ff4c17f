/** Giving, taking and showing access: reads the list in force, changes it, and writes it only if nobody else did meanwhile. */
import { ldp } from "@freehold/vocab";
import {
  ACL_PREFIXES,
  accessOf,
  controllersOf,
  type Effective,
  type Grantee,
  materialise,
  withGrant,
  withoutGrant,
} from "./acl.ts";
import { type Fetch, FreeholdError, fetchOk } from "./errors.ts";
import { linkTo, parseLinks } from "./links.ts";
import type { Access, AccessMode } from "./modes.ts";
import type { Pod } from "./pod.ts";
import { irisOf, parseTurtle, writeTurtle } from "./rdf.ts";

const TRIES_MAX = 5; // More writers of one list at once are no people.
const FOLDERS_MAX = 64; // Deeper than any server allows.

interface Listed extends Effective {
  /** Address of the resource's own list, there or not. */
  readonly ownAclUrl: string;
  readonly etag: string | null;
}

/** An answer to HEAD has no content; whoever is refused asks again to learn why. */
async function head(fetch: Fetch, url: string): Promise<Response> {
  const response = await fetchOk(fetch, url, { method: "HEAD" }, [400, 401, 403, 404, 405, 410, 500]);
  if (response.ok) return response;
  const again = await fetchOk(fetch, url);
  await again.body?.cancel();
  return again;
}

async function aclUrlOf(fetch: Fetch, url: string): Promise<string> {
  const found = linkTo(parseLinks((await head(fetch, url)).headers.get("link"), url), "acl");
  if (found !== null) return found;
  throw new FreeholdError("answer-invalid", "The server does not say where the access list is", { url });
}

const parentOf = (url: string): string | null => {
  const { pathname } = new URL(url);
  return pathname === "/" ? null : new URL(url.endsWith("/") ? "../" : "./", url).href;
};

/** https://solidproject.org/TR/wac#effective-acl-resource */
async function effective(fetch: Fetch, url: string): Promise<Listed> {
  const ownAclUrl = await aclUrlOf(fetch, url);
  let [ofUrl, aclUrl] = [url, ownAclUrl];
  for (let level = 0; level < FOLDERS_MAX; level += 1) {
    const response = await fetchOk(fetch, aclUrl, { headers: { accept: "text/turtle" } }, [404]);
    if (response.ok) {
      return {
        url,
        ofUrl,
        aclUrl,
        ownAclUrl,
        etag: response.headers.get("etag"),
        quads: parseTurtle(await response.text(), aclUrl),
      };
    }
    await response.body?.cancel();
    const parent = parentOf(ofUrl);
    if (parent === null) break;
    [ofUrl, aclUrl] = [parent, await aclUrlOf(fetch, parent)];
  }
  throw new FreeholdError("answer-invalid", "There is no access list for this resource", { url });
}

/** There must always be somebody who can change the list, and the owner must stay among them. */
function isLockedOut(before: Effective, after: Effective, owner: string | null): boolean {
  return (["itself", "contents"] as const).some((part) => {
    const [had, has] = [controllersOf(before, part), controllersOf(after, part)];
    return (
      (owner !== null && had.includes(owner) && !has.includes(owner)) || (had.length > 0 && has.length === 0)
    );
  });
}

/** @throws FreeholdError `owner-locked-out` before anything is sent. */
function keepOwner(before: Effective, after: Effective, owner: string | null): void {
  if (!isLockedOut(before, after, owner)) return;
  throw new FreeholdError("owner-locked-out", "Nobody could change this access list any more", {
    url: after.aclUrl,
    next: "Leave control to the owner.",
  });
}

async function edit(
  pod: Pod,
  url: string,
  change: (own: Effective) => Effective,
): Promise<readonly Access[]> {
  for (let tries = 1; ; tries += 1) {
    const found = await effective(pod.fetch, url);
    const own = materialise(found, found.ownAclUrl);
    const after = change(own);
    if (after === own) return accessOf(found); // Nothing to do; then no list of its own is made either.
    keepOwner(found, after, pod.owner);
    const isNew = found.ofUrl !== url;
    const condition: Record<string, string> = isNew
      ? { "if-none-match": "*" }
      : found.etag === null
        ? {}
        : { "if-match": found.etag };
    const body = await writeTurtle(after.quads, ACL_PREFIXES);
    try {
      await fetchOk(pod.fetch, found.ownAclUrl, {
        method: "PUT",
        headers: { "content-type": "text/turtle", ...condition },
        body,
      });
      return accessOf(after);
    } catch (error) {
      if (!(error instanceof FreeholdError) || error.status !== 412 || tries >= TRIES_MAX) throw error;
    }
  }
}

/** Whom access is given to, and which. */
export interface Grant {
  /** A WebID, `public` or `signed-in`. */
  readonly to: string;
  readonly modes: readonly AccessMode[];
}

function granteeOf(text: string): Grantee {
  if (text === "public" || text === "signed-in") return text;
  if (URL.canParse(text) && /^https?:/.test(text) && !/[\s<>"]/.test(text)) return { webid: text };
  throw new FreeholdError("input-invalid", "Access is given to a WebID, to public, or to signed-in", {
    detail: text.slice(0, 200),
  });
}

/** Described in `index.ts`, as are those below. */
export function grant(pod: Pod, path: string, { to, modes }: Grant): Promise<readonly Access[]> {
  const who = granteeOf(to);
  return edit(pod, pod.at(path), (own) => withGrant(own, who, modes));
}

/** Whom access is taken from, and which. */
export interface Revocation {
  /** A WebID, `public` or `signed-in`. */
  readonly from: string;
  /** All without. Without `append`, `write` goes too, for write includes it. */
  readonly modes?: readonly AccessMode[];
}

const EVERY_MODE: readonly AccessMode[] = ["read", "append", "write", "control"];

export function revoke(
  pod: Pod,
  path: string,
  { from, modes = EVERY_MODE }: Revocation,
): Promise<readonly Access[]> {
  const who = granteeOf(from);
  const all = modes.includes("append") ? [...modes, "write" as const] : modes;
  return edit(pod, pod.at(path), (own) => withoutGrant(own, who, all));
}

export async function inspect(pod: Pod, path = ""): Promise<readonly Access[]> {
  return accessOf(await effective(pod.fetch, pod.at(path)));
}

export async function* inspectAll(pod: Pod, path = ""): AsyncGenerator<Access, void, undefined> {
  const waiting = [pod.at(path)];
  for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
    const found = url === pod.at(path) ? await effective(pod.fetch, url) : await ownList(pod.fetch, url);
    if (found) yield* accessOf(found);
    if (url.endsWith("/")) waiting.push(...(await membersOf(pod.fetch, url)));
  }
}

async function ownList(fetch: Fetch, url: string): Promise<Effective | null> {
  const aclUrl = await aclUrlOf(fetch, url);
  const response = await fetchOk(fetch, aclUrl, { headers: { accept: "text/turtle" } }, [404]);
  if (response.ok) return { url, ofUrl: url, aclUrl, quads: parseTurtle(await response.text(), aclUrl) };
  await response.body?.cancel();
  return null;
}

async function membersOf(fetch: Fetch, url: string): Promise<readonly string[]> {
  const response = await fetchOk(fetch, url, { headers: { accept: "text/turtle" } });
  return irisOf(parseTurtle(await response.text(), url), url, ldp.contains).filter(
    (member) => member.startsWith(url) && member !== url,
  );
}
