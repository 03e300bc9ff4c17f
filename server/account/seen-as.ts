/** The owner's pod with the eyes of somebody else: real decisions about an agent that is not there, and nothing in the journal. */
import type { Access } from "../access/authorize.ts";
import { Problem } from "../errors.ts";
import { nameOf, parentOf, parseTarget, parseWebId } from "../iri.ts";
import { type Agent, type Mode, PUBLIC_AGENT } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Snapshot, Store } from "../store/store.ts";
import type { Who } from "./owner.ts";

export interface SeenAsDeps {
  readonly store: Store;
  readonly access: Pick<Access, "language" | "permissions" | "reader">;
}

/** What somebody could see after a place is opened to them, beyond what they can see now. */
export interface Opening {
  /** Documents that they cannot see now, and would. */
  readonly files: number;
  /** Documents there that they can see already. */
  readonly already: number;
  /** Folders and documents there that have rules of their own, and stay as they are. */
  readonly apart: number;
  /** There is more than is counted; the numbers are the least that it is. */
  readonly cut: boolean;
}

const COUNTED_MAX = 50_000; // Documents and folders: above this nobody decides by the number.
/** Somebody who has signed in, and whom no rule names: the name ends in what RFC 2606 gives to nobody. */
const ANYBODY = parseWebId("https://somebody.invalid/#me");

/** @throws Problem `input-invalid` for a group, whose members are asked about one by one, and for the owner. */
function agentOf({ kind, iri }: Who, pod: Pod): Agent {
  if (kind === "public") return PUBLIC_AGENT;
  if (kind === "signed-in") return { ...PUBLIC_AGENT, webid: ANYBODY };
  if (kind === "group") throw new Problem("input-invalid", "Name one person of the group");
  const webid = parseWebId(iri ?? "");
  if (webid === pod.owner) throw new Problem("input-invalid", "That is you: you see everything");
  return { ...PUBLIC_AGENT, webid };
}

export interface SeenAs {
  /** @returns of each path what they may do there, by rules and by consents. @throws Problem `input-invalid` */
  modesOf(pod: Pod, who: Who, paths: readonly string[]): Promise<readonly (readonly Mode[])[]>;
  /** @throws Problem `not-found`; `input-invalid` */
  opens(pod: Pod, who: Who, path: string): Promise<Opening>;
}

export function createSeenAs({ store, access }: SeenAsDeps): SeenAs {
  const isAdding = access.language.name === "acp";

  /** Whether it can be read; what hangs on a purpose that nobody names is not counted as readable. */
  async function canRead(read: (path: string) => Promise<boolean>, path: string): Promise<boolean> {
    try {
      return await read(path);
    } catch (error) {
      if (error instanceof Problem && error.code === "purpose-required") return false;
      throw error;
    }
  }

  /** Everything below a folder that its rules hold for, the folders too; of the rest, only how much it is. */
  async function* below(
    snapshot: Snapshot,
    folder: string,
  ): AsyncGenerator<{ readonly path: string; readonly isApart: boolean; readonly isFolder: boolean }> {
    const folders: string[] = [];
    for await (const entry of snapshot.list("resource", folder)) {
      const path = `${folder}${entry.item}`;
      const isApart = !isAdding && (await snapshot.get("auxiliary", path, "acl")) !== null;
      const isFolder = decodeRecord<ResourceRecord>(entry).kind === "container";
      yield { path, isApart, isFolder };
      if (isFolder && !isApart) folders.push(path);
    }
    for (const path of folders) yield* below(snapshot, path);
  }

  return {
    async modesOf(pod, who, paths) {
      const agent = agentOf(who, pod);
      return store.read(pod.id, async (snapshot) => {
        const found: (readonly Mode[])[] = [];
        for (const path of paths)
          found.push((await access.permissions(snapshot, pod, agent, parseTarget(path))).user);
        return found;
      });
    },
    async opens(pod, who, path) {
      const agent = agentOf(who, pod);
      return store.read(pod.id, async (snapshot) => {
        if (!(await snapshot.get("resource", parentOf(path) ?? "/", nameOf(path))))
          throw new Problem("not-found", "There is no such place in your pod");
        const read = await access.reader(snapshot, pod, agent);
        let [looked, files, already, apart] = [0, 0, 0, 0];
        const all = path.endsWith("/") ? below(snapshot, path) : [{ path, isApart: false, isFolder: false }];
        for await (const one of all) {
          if (looked++ === COUNTED_MAX) return { files, already, apart, cut: true };
          if (one.isApart) apart++;
          else if (one.isFolder) continue;
          else if (await canRead(read, one.path)) already++;
          else files++;
        }
        return { files, already, apart, cut: false };
      });
    },
  };
}
