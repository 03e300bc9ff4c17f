/** A place in the pod and how it is looked at, as the address of the room has them: `contacts/ana.ttl?view=edit&thing=…`. */
import { ownFetch } from "../../parts/pod-fetch.ts";

export const VIEWS = ["files", "table", "timeline", "links", "raw", "edit", "add", "search"] as const;
export type View = (typeof VIEWS)[number];

export interface Place {
  /** Below the pod's root; a folder when it is empty or ends in `/`. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly view: View;
  /** The other words of the address. */
  readonly words: URLSearchParams;
}

/** @param rest What follows the room's name. */
export function parsePlace(rest: string): Place {
  const cut = rest.indexOf("?");
  const path = cut < 0 ? rest : rest.slice(0, cut);
  const words = new URLSearchParams(cut < 0 ? "" : rest.slice(cut + 1));
  const view = VIEWS.find((name) => name === words.get("view")) ?? "files";
  return { path, isFolder: path === "" || path.endsWith("/"), view, words };
}

/** @param words What else there is to say; what is empty is left out. */
export function hrefOf(path: string, view: View, words: Readonly<Record<string, string>> = {}): string {
  const said = new URLSearchParams(view === "files" ? {} : { view });
  for (const [name, value] of Object.entries(words)) if (value !== "") said.set(name, value);
  return `#/data/${path}${said.size > 0 ? `?${said.toString()}` : ""}`;
}

/** The owner's pod, for functions that ask pods. */
export interface OwnPod {
  /** Ends in `/`. */
  readonly url: string;
  readonly sparql: string;
  readonly search: string;
  readonly fetch: typeof ownFetch;
  at(path: string): string;
}

export function ownPod(name: string): OwnPod {
  const url = new URL(`/${name}/`, location.href).href;
  return {
    url,
    sparql: `${url}sparql`,
    search: `${url}search`,
    fetch: ownFetch,
    at: (path) => new URL(path, url).href,
  };
}

/** Where a thing of this pod is shown; null for what is elsewhere. */
export function hrefOfThing(pod: OwnPod, address: string): string | null {
  if (!address.startsWith(pod.url)) return null;
  const [document = ""] = address.split("#", 1);
  const path = document.slice(pod.url.length);
  return hrefOf(path, "table", { thing: address === document ? "" : address });
}

/** The last part of a place, as a person would say it. */
export function nameOfPath(path: string): string {
  const name = path.split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
