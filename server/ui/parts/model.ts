/** What the server's doors answer, as the pages know it. */

export interface PasskeyRow {
  readonly id: string;
  readonly name: string;
  readonly created: number;
}

export interface Me {
  readonly name: string;
  readonly pod: string;
  /** What others need to share something with this person. */
  readonly address: string;
  readonly passport: string | null;
  readonly hasPassword: boolean;
  readonly passkeys: readonly PasskeyRow[];
  /** Milliseconds since 1970. */
  readonly recoverySaved: number | null;
  readonly created: number;
  /** Whether this person also runs the server. */
  readonly isOperator: boolean;
}

export interface State {
  readonly baseUrl: string;
  /** Where passports are registered; ends in `/`. */
  readonly registry: string;
  readonly setUpNeeded: boolean;
  readonly signUp: "link" | "open";
  /** Whether browsers allow passkeys at this address. */
  readonly passkeys: boolean;
  readonly passwordCharactersMin: number;
  readonly account: Me | null;
}

export interface Item {
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
  readonly contentType: string;
  readonly bytes: number;
  readonly modified: number;
}

export interface Folder {
  readonly path: string;
  readonly items: readonly Item[];
  readonly cut: boolean;
}

export type Mode = "read" | "append" | "write" | "control";

export interface Who {
  readonly kind: "public" | "signed-in" | "person" | "group";
  readonly iri: string | null;
  readonly label: string;
}

export interface AccessEntry {
  readonly who: Who;
  readonly path: string;
  readonly modes: readonly Mode[];
  readonly inherited: boolean;
  readonly apps: readonly string[];
  readonly members: number | null;
  /** The public card, which is meant to be seen. */
  readonly card: boolean;
}

/** What somebody may by a consent that the owner gave. */
export interface ConsentEntry {
  readonly grant: string;
  readonly who: Who;
  readonly path: string;
  readonly modes: readonly Mode[];
  /** In words. */
  readonly purposes: readonly string[];
  readonly apps: readonly string[];
  readonly until: number;
}

export interface Overview {
  readonly people: number;
  readonly isPublic: boolean;
  readonly entries: readonly AccessEntry[];
  readonly consents: readonly ConsentEntry[];
  /** Places that have rules of their own. */
  readonly lists: readonly string[];
  /** Whether what holds for a folder also holds where there are rules of its own below it. */
  readonly isAdding: boolean;
  /** How many apps were let in. */
  readonly apps: number;
  readonly items: readonly Item[];
  /** Files and folders. */
  readonly resources: number;
  readonly bytes: number;
}

/** How full the pod is. */
export interface Usage {
  readonly bytes: number;
  readonly resources: number;
  readonly quota: { readonly bytes: number; readonly resources: number };
  /** Of the bytes, what the trash and the earlier versions hold. */
  readonly trash: number;
  readonly versions: number;
}

export interface VersionRow {
  readonly number: number;
  readonly bytes: number;
  /** When something else took its place. */
  readonly until: number;
}

export interface TrashRow {
  readonly id: string;
  readonly path: string;
  readonly kind: "document" | "folder" | "access list" | "description";
  readonly contentType: string | null;
  readonly bytes: number;
  readonly deleted: number;
  /** When it goes for good. */
  readonly until: number;
}

export interface Trash {
  readonly items: readonly TrashRow[];
  readonly cut: boolean;
}

/** What became of something that was brought back. */
export interface BroughtBack {
  readonly path: string;
  /** Nobody but the owner sees it any more. */
  readonly private: boolean;
}

/** One thing that was done, or a few of one kind in one minute. */
export type ActivityRow =
  | { readonly number: number; readonly erased: true }
  | {
      readonly number: number;
      readonly erased?: false;
      readonly time: number;
      readonly who: {
        readonly kind: "you" | "operator" | "server" | "several" | "anonymous" | "person";
        readonly iri: string | null;
        readonly label: string;
      };
      readonly app: string | null;
      /** What was done, to be read between who and where: `looked at`. */
      readonly did: string;
      readonly place: string | null;
      /** Where exactly; null for the whole pod, `*` for several places. */
      readonly path: string | null;
      readonly client: string | null;
      readonly issuer: string | null;
      /** Address of the consent that it was done by. */
      readonly grant: string | null;
      /** By which whoever runs the server finds it in the log. */
      readonly request: string | null;
      readonly since: number | null;
      readonly refused: boolean;
      readonly count: number;
      readonly purpose: string | null;
      readonly purposeLabel: string | null;
      readonly rows: number | null;
      readonly documents: number | null;
      readonly bytes: number | null;
    };

export interface Activity {
  readonly entries: readonly ActivityRow[];
  readonly total: number;
  readonly next: number | null;
}

export interface Program {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly expires: number | null;
}

export interface SessionRow {
  readonly id: string;
  readonly device: string;
  readonly created: number;
  readonly seen: number;
  readonly current: boolean;
}

/** What a person lets an app do, of what the person may. */
export interface Reach {
  /** Null is everywhere. */
  readonly folders: readonly string[] | null;
  readonly modes: readonly Mode[];
}

/** An app that the owner has let in at sign-in. */
export interface AppRow extends Reach {
  readonly id: string;
  /** Its address, or a name that says nothing when it registered by itself. */
  readonly client: string;
  /** What it calls itself. */
  readonly name: string | null;
  /** Origin that its answers go to: what it cannot make up. */
  readonly address: string | null;
  readonly since: number;
}
