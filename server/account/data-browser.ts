/**
 * The optional data browser: mashlib, from a folder that the operator names. Its page stands where a person's browser would
 * get a document of RDF, or be refused one; programs get what they always get. It may load nothing from, and send nothing
 * to, any other server: its policy says so to the browser.
 */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError, Problem, withHeaders } from "../errors.ts";
import type { Result } from "../operation.ts";
import { isRdfType } from "../rdf/media.ts";
import { type Asset, give, pack } from "./assets.ts";
import { COMMON, type PageDoor } from "./pages.ts";

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface DataBrowser {
  readonly doors: readonly PageDoor[];
  /** Whether a person's browser asks, without any login, for a page to look at. */
  isAskedFor(headers: Headers): boolean;
  /**
   * The answer to such a request, made of the one that a program would get.
   * @param described Adds to a refusal what all answers of its address say.
   * @throws what `answer` does, else.
   */
  inPlaceOf(answer: Promise<Result>, described: (refusal: Problem) => Problem): Promise<Result>;
}

/** What may be in the folder for browsers to have; a pod's name has no dot, so none stands in a pod's place. */
const FILE = /^[\w.-]+\.(?:js|css|png|gif|svg|ico|woff2)$/;
const ICONS = "/.ui/data-browser/icons/";
/** Where the folder has no icon of the name. */
const BLANK_ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="5" fill="none" stroke="#777" stroke-width="2"/></svg>';

/** The page's own file and its first script: TypeScript in a checkout, JavaScript in a published package. */
function pageOf(): string {
  const text = readFileSync(new URL("../ui/data-browser.html", import.meta.url), "utf8");
  return import.meta.url.endsWith(".ts") ? text : text.replace(/\.ts(?=")/g, ".js");
}

function listOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => FILE.test(name));
  } catch {
    return [];
  }
}

/** The answer is not wanted after all: whatever it holds open is closed. */
async function discard({ body }: Result): Promise<void> {
  if (body !== null && typeof body === "object" && Symbol.asyncIterator in body)
    await body[Symbol.asyncIterator]().return?.();
}

/**
 * @param folder Of mashlib's `dist`, with an own folder `icons` if there is one; empty: no data browser.
 * @param baseUrl Ends in `/`.
 * @param challenge Header fields of every 401.
 * @returns null when it is switched off.
 * @throws OperatorError when the folder holds no mashlib.
 */
export function createDataBrowser(
  { baseUrl, dataBrowser: folder }: { readonly baseUrl: string; readonly dataBrowser: string },
  challenge: Readonly<Record<string, string>>,
): DataBrowser | null {
  if (folder === "") return null;
  const names = listOf(folder);
  if (!names.includes("mashlib.min.js") || !names.includes("mash.css"))
    throw new OperatorError(
      `FREEHOLD_DATA_BROWSER names ${folder}, where there is no mashlib.min.js and mash.css: name the dist folder of the npm package mashlib, or leave the setting empty.`,
    );
  const icons = new Set(listOf(join(folder, "icons")));
  const page = pageOf();
  const scripts = names.filter((name) => name.endsWith(".js")).map((name) => `${baseUrl}${name}`);
  // Its scripts by their names, for what people upload lives on the same host; it styles as it goes, so styles are free.
  const policy = [
    "default-src 'none'",
    `script-src ${baseUrl}.ui/server/ui/ ${scripts.join(" ")}`,
    `style-src ${baseUrl}mash.css 'unsafe-inline'`,
    "connect-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "font-src 'self' data:",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
  const headers = { ...COMMON, "content-security-policy": policy, vary: "Accept, Authorization, Origin" };

  const assets = new Map<string, Promise<Asset>>();
  function asset(path: string): Promise<Asset> {
    let found = assets.get(path);
    if (!found) {
      found = readFile(join(folder, path)).then((bytes) => pack(path, bytes));
      assets.set(path, found);
      found.catch(() => assets.delete(path));
    }
    return found;
  }

  return {
    doors: [
      ...names.map((name) => ({
        verb: "get" as const,
        path: `/${name}`,
        door: async ({
          headers: asked,
        }: {
          readonly headers: Readonly<Record<string, string | undefined>>;
        }) => give(await asset(name), asked),
      })),
      {
        verb: "get",
        path: `${ICONS}{*name}`,
        async door({ url, headers: asked }) {
          const name = url.pathname.slice(ICONS.length);
          return give(
            await (icons.has(name) ? asset(`icons/${name}`) : pack("blank.svg", Buffer.from(BLANK_ICON))),
            asked,
          );
        },
      },
    ],
    isAskedFor: ({ accept, authorization, "sec-fetch-dest": destination = "document" }) =>
      authorization === undefined && destination === "document" && /^text\/html\b/.test(String(accept ?? "")),
    async inPlaceOf(answer, described) {
      try {
        const result = await answer;
        const type = String(result.headers["content-type"] ?? "");
        if (result.status !== 200 || !isRdfType(type)) return result;
        await discard(result);
        const { link = "", "wac-allow": wacAllow = "" } = result.headers;
        return { status: 200, headers: { ...headers, link, "wac-allow": wacAllow }, body: page };
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        // It may be read, but not as HTML: this is its HTML.
        if (error.status === 406)
          return { status: 200, headers: { ...described(error).headers, ...headers }, body: page };
        if (error.status !== 401 && error.status !== 403) throw error;
        const refusal = error.status === 401 ? withHeaders(described(error), challenge) : described(error);
        return { status: error.status, headers: { ...refusal.headers, ...headers }, body: page }; // In it the person can log in.
      }
    },
  };
}
