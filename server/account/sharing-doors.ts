/** Before something is shared, and after: how much it would open, what kind of thing that is, and the pod as others see it. */
import { isNarrower, isSpecialCategory, sureLabelOf } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { parseOwnPath, readFolder } from "./contents.ts";
import { type AccountDoor, createGuards, done, type SignedIn } from "./guards.ts";
import { labelOf, parseWho, type Who } from "./owner.ts";

/** What the owner has said lies where: canonical path of a folder or document → kinds of data. */
export type Holds = Readonly<Record<string, readonly string[]>>;

const FINANCIAL = "https://w3id.org/dpv/pd#Financial";

/** What law protects most, and money. */
const isSensitive = (kind: string): boolean => isSpecialCategory(kind) || isNarrower(kind, FINANCIAL);

/** Kinds of data at a place, by the nearest word above it and all words below it. */
function kindsAt(path: string, holds: Holds): readonly string[] {
  const above = Object.keys(holds)
    .filter((place) => place === path || (place.endsWith("/") && path.startsWith(place)))
    .sort((a, b) => b.length - a.length);
  const below = path.endsWith("/") ? Object.keys(holds).filter((place) => place.startsWith(path)) : [];
  return [...new Set([...above.slice(0, 1), ...below].flatMap((place) => holds[place] ?? []))];
}

/** @throws Problem `input-invalid` */
function whoIn({ searchParams }: URL): Who {
  return parseWho({ kind: searchParams.get("as"), iri: searchParams.get("who") });
}

/** @param holdsOf What the owner has said of the places in a pod. */
export function sharingDoors(
  accounts: AccountService,
  holdsOf: (pod: Pod) => Promise<Holds>,
): readonly AccountDoor[] {
  const { pods, store, limits, access } = accounts.deps;
  const guards = createGuards(accounts);

  async function podOf({ account }: SignedIn): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod) throw new Problem("not-found", "The pod of this account is gone");
    return pod;
  }
  const placeIn = ({ searchParams }: URL, pod: Pod): string =>
    parseOwnPath(searchParams.get("path") ?? `/${pod.name}/`, pod);

  return [
    {
      verb: "get",
      path: "/.account/access/opens",
      door: guards.see(async (signedIn, { url }) => {
        const pod = await podOf(signedIn);
        const path = placeIn(url, pod);
        const [opening, holds] = await Promise.all([access.opens(pod, whoIn(url), path), holdsOf(pod)]);
        const kinds = kindsAt(path, holds).map((kind) => ({
          label: sureLabelOf(kind),
          isSensitive: isSensitive(kind),
        }));
        return done({ ...opening, path, kinds, isWholePod: path === `/${pod.name}/` });
      }),
    },
    {
      verb: "get",
      path: "/.account/access/preview",
      door: guards.see(async (signedIn, { url }) => {
        const pod = await podOf(signedIn);
        const who = whoIn(url);
        const path = placeIn(url, pod);
        const folder = await readFolder(store, pod, path, limits, url.searchParams.get("after"));
        const [own = [], ...modes] = await access.modesOf(pod, who, [
          path,
          ...folder.items.map((item) => item.path),
        ]);
        const names = await accounts.namesOf(who.iri === null ? [] : [who.iri]);
        return done({
          ...folder,
          who: { ...who, label: labelOf(who, names) },
          modes: own,
          items: folder.items.map((item, place) => ({ ...item, modes: modes[place] ?? [] })),
        });
      }),
    },
  ];
}
