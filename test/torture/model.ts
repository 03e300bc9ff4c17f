/** What one client knows of its own corner of a pod: what every acknowledged write has left, and the one write under way. */
import { createHash } from "node:crypto";

/** What a GET shows: the content's digest (of sorted statements where the server writes the document), or null for nothing. */
export type State = string | null;

export const stateOf = (content: Uint8Array | string): string =>
  createHash("sha256").update(content).digest("base64url");

/** A folder that is there; what is in it is compared by its listing. */
export const FOLDER: State = "folder";

export interface Act {
  readonly method: "PUT" | "POST" | "PATCH" | "DELETE";
  /** Where it is sent, below the pod's root. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  /** What it leaves: all of this or nothing of it. */
  readonly leaves: readonly (readonly [path: string, state: State])[];
}

/** Numbers from 0 to `below`, the same for the same seed. */
export type Dice = (below: number) => number;

/** Mulberry32. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const TURTLE = { "content-type": "text/turtle" };
const BLOB_BYTES_MIN = 262_145; // One more than is kept inline: a file of its own.
const N3_PREFIX = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; ";

/** Statements about numbers in a document that is only ever patched. */
export const stateOfNumbers = (numbers: Iterable<number>): State =>
  stateOf([...numbers].sort((a, b) => a - b).join());

/** What a client does next, from what is there. Only its own folder: so it alone knows what is right. */
export class Corner {
  /** Ends in `/`. */
  readonly folder: string;
  readonly known = new Map<string, State>();
  /** Paths that were written since they were last looked at. */
  readonly touched = new Set<string>();
  /** Sent, and neither acknowledged nor refused. */
  pending: Act | null = null;
  readonly #numbers = new Map<string, Set<number>>();
  readonly #dice: Dice;
  readonly #owner: string;
  readonly #friend: string;
  #serial = 0;

  constructor(folder: string, seed: number, owner: string, friend: string) {
    this.folder = folder;
    this.#dice = createDice(seed);
    this.#owner = owner;
    this.#friend = friend;
  }

  isThere(path: string): boolean {
    return (this.known.get(path) ?? null) !== null;
  }

  /** Members that the listing of `folder` must show, no more and no less. */
  membersOf(folder: string): readonly string[] {
    return [...this.known.keys()]
      .filter((path) => this.isThere(path) && path.startsWith(folder) && path !== folder)
      .filter((path) => /^[^/]+\/?$/.test(path.slice(folder.length)) && !path.endsWith(".acl"))
      .sort();
  }

  next(): Act {
    const choose = this.#dice(20);
    this.#serial += 1;
    if (choose < 6) return this.#put(`d${this.#dice(10)}.ttl`);
    if (choose < 7) return this.#put(`deep${this.#dice(3)}/er/x.ttl`);
    if (choose < 9) return this.#putBlob(`b${this.#dice(4)}.bin`);
    if (choose < 12 && this.isThere(this.folder)) return this.#post();
    if (choose < 15) return this.#patch(`patched/${this.#dice(3)}.ttl`);
    if (choose < 17) return this.#delete() ?? this.#put("d0.ttl");
    if (choose < 19) return this.#changeAcl() ?? this.#put("d0.ttl");
    return this.#changeFolder(`c${this.#dice(3)}/`);
  }

  /** Every folder above comes with a document. */
  #leaving(path: string, state: State): Act["leaves"] {
    const above = path.slice(this.folder.length).split("/").slice(0, -1);
    const folders = above.map((_, index) => `${this.folder}${above.slice(0, index + 1).join("/")}/`);
    return [[this.folder, FOLDER], ...folders.map((folder) => [folder, FOLDER] as const), [path, state]];
  }

  #text(): string {
    return `# ${this.#serial}\n<#it> <https://schema.org/name> "${this.folder} ${this.#serial} ${"x".repeat(this.#dice(2_000))}".\n`;
  }

  /** Null when there is nothing to delete. */
  deletion(): Act | null {
    return this.#delete();
  }

  #put(name: string): Act {
    const [path, body] = [this.folder + name, this.#text()];
    return { method: "PUT", path, headers: TURTLE, body, leaves: this.#leaving(path, stateOf(body)) };
  }

  #putBlob(name: string): Act {
    const path = this.folder + name;
    const body = Buffer.alloc(BLOB_BYTES_MIN + this.#dice(200_000), `${path} ${this.#serial} `);
    const headers = { "content-type": "application/octet-stream" };
    return { method: "PUT", path, headers, body, leaves: this.#leaving(path, stateOf(body)) };
  }

  /** The name is free, so the server takes it as it is. */
  #post(): Act {
    const [slug, body] = [`p${this.#serial}.ttl`, this.#text()];
    return {
      method: "POST",
      path: this.folder,
      headers: { ...TURTLE, slug },
      body,
      leaves: this.#leaving(this.folder + slug, stateOf(body)),
    };
  }

  #patch(name: string): Act {
    const path = this.folder + name;
    const old = this.#numbers.get(path) ?? new Set();
    const numbers = new Set(old).add(this.#serial);
    const [gone] = old;
    let deletes = "";
    if (gone !== undefined && this.#dice(3) === 0) {
      numbers.delete(gone);
      deletes = `solid:deletes { <#it> <#n> ${gone} }; `;
    }
    return {
      method: "PATCH",
      path,
      headers: { "content-type": "text/n3" },
      body: `${N3_PREFIX}${deletes}solid:inserts { <#it> <#n> ${this.#serial} } .`,
      leaves: this.#leaving(path, stateOfNumbers(numbers)),
    };
  }

  #documents(): readonly string[] {
    return [...this.known.keys()].filter((path) => this.isThere(path) && /\.(ttl|bin)$/.test(path));
  }

  #delete(): Act | null {
    const documents = this.#documents();
    const path = documents[this.#dice(documents.length)];
    if (path === undefined) return null;
    return {
      method: "DELETE",
      path,
      headers: {},
      leaves: [
        [path, null],
        [`${path}.acl`, null],
      ],
    };
  }

  #changeAcl(): Act | null {
    const documents = this.#documents();
    const subject = documents[this.#dice(documents.length)];
    if (subject === undefined) return null;
    const path = `${subject}.acl`;
    if (this.isThere(path) && this.#dice(2) === 0)
      return { method: "DELETE", path, headers: {}, leaves: [[path, null]] };
    const name = subject.slice(subject.lastIndexOf("/") + 1);
    const body = `# ${this.#serial}
      @prefix acl: <http://www.w3.org/ns/auth/acl#>.
      <#owner> a acl:Authorization; acl:agent <${this.#owner}>; acl:accessTo <${name}>; acl:mode acl:Read, acl:Write, acl:Control.
      <#friend> a acl:Authorization; acl:agent <${this.#friend}>; acl:accessTo <${name}>; acl:mode acl:Read.`;
    return { method: "PUT", path, headers: TURTLE, body, leaves: [[path, stateOf(body)]] };
  }

  #changeFolder(name: string): Act {
    const path = this.folder + name;
    if (this.isThere(path)) return { method: "DELETE", path, headers: {}, leaves: [[path, null]] };
    return {
      method: "PUT",
      path,
      headers: TURTLE,
      leaves: [
        [this.folder, FOLDER],
        [path, FOLDER],
      ],
    };
  }

  /** From now on this is so. */
  apply({ method, path, body, leaves }: Act): void {
    for (const [changed, state] of leaves) {
      this.known.set(changed, state);
      this.touched.add(changed);
    }
    if (method === "DELETE") this.#numbers.delete(path);
    if (method !== "PATCH" || typeof body !== "string") return;
    const numbers = this.#numbers.get(path) ?? new Set();
    const [, gone] = /deletes \{ <#it> <#n> (\d+)/.exec(body) ?? [];
    if (gone !== undefined) numbers.delete(Number(gone));
    numbers.add(Number(/inserts \{ <#it> <#n> (\d+)/.exec(body)?.[1]));
    this.#numbers.set(path, numbers);
  }
}
