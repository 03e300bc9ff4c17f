/** A seed file, read whole and checked before anything is done: what is wrong is named with its place, all of it at once. */
import { readFile, stat } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { SHAPES } from "@freehold/shapes";
import { OperatorError } from "../../errors.ts";
import { didYouMean } from "../../nearest.ts";
import { POD_NAME, RESERVED_NAMES } from "../../store/pods.ts";
import { parseJsonc } from "../jsonc.ts";
import { readSmallFile } from "../read-small.ts";
import { CSS_SCHEMA, type Fault, faultsOf, SEED_SCHEMA } from "./schema.ts";

const FILE_BYTES_MAX = 16 * 1024 * 1024;
const PASSWORD_BYTES_MAX = 4_096;
const FAULTS_SHOWN = 20;

const TYPES: Readonly<Record<string, string>> = {
  ".ttl": "text/turtle",
  ".nt": "application/n-triples",
  ".nq": "application/n-quads",
  ".trig": "application/trig",
  ".jsonld": "application/ld+json",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".xml": "application/xml",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".zip": "application/zip",
};

export interface PlannedDocument {
  readonly at: string;
  readonly path: string;
  readonly type: string;
  readonly content: string | { readonly file: string };
}

export interface PlannedAccount {
  /** Where in the file, for what goes wrong later. */
  readonly at: string;
  readonly pod: string;
  readonly name: string;
  readonly password: string;
  /** Absolute; null: no passport. */
  readonly recoveryFile: string | null;
  readonly documents: readonly PlannedDocument[];
  readonly shapes: readonly { readonly at: string; readonly folder: string; readonly shape: string }[];
  readonly access: readonly {
    readonly at: string;
    readonly path: string;
    readonly to: string;
    readonly modes: readonly ("read" | "append" | "write" | "control")[];
  }[];
  readonly grants: readonly {
    readonly at: string;
    readonly to: string;
    readonly places: readonly string[];
    readonly purposes: readonly string[];
    readonly until: string;
    readonly benefit?: string;
    readonly notice?: string;
  }[];
}

export interface Plan {
  readonly accounts: readonly PlannedAccount[];
  /** What the file says and is not kept here. */
  readonly remarks: readonly string[];
}

interface Written extends Partial<Omit<PlannedAccount, "documents" | "at">> {
  readonly pod: string;
  readonly passwordFile?: string;
  readonly documents?: readonly {
    readonly path: string;
    readonly file?: string;
    readonly content?: string;
    readonly type?: string;
  }[];
}

/** @returns each account with its place in the file. */
function ofCss(
  whole: readonly {
    readonly email: string;
    readonly password: string;
    readonly pods?: readonly { readonly name: string }[];
  }[],
): {
  readonly found: readonly (readonly [at: string, account: Written])[];
  readonly faults: readonly Fault[];
  readonly remarks: readonly string[];
} {
  const faults: Fault[] = [];
  const emails = new Map<string, number>();
  const found: (readonly [string, Written])[] = [];
  for (const [index, { email, password, pods = [] }] of whole.entries()) {
    const before = emails.get(email.toLowerCase());
    if (before !== undefined)
      faults.push({ at: `/${index}/email`, detail: `is that of /${before}/email, too` });
    emails.set(email.toLowerCase(), index);
    for (const [number, { name }] of pods.entries())
      found.push([`/${index}/pods/${number}`, { pod: name.toLowerCase(), name, password }]);
  }
  const several = whole.some(({ pods = [] }) => pods.length > 1);
  const none = whole.some(({ pods = [] }) => pods.length === 0);
  return {
    found,
    faults,
    remarks: [
      "E-mail addresses are not kept: one signs in by the pod's name.",
      ...(several
        ? ["An account has one pod here: of several, each got an account of its own, with the same password."]
        : []),
      ...(none ? ["Accounts without a pod were left out."] : []),
    ],
  };
}

/** @throws OperatorError that names every place where something is wrong; nothing was done then. */
export async function readSeed(file: string): Promise<Plan> {
  const { text } = readSmallFile(file, FILE_BYTES_MAX, "The seed file");
  const whole = parseJsonc(text, file);
  const isCss = Array.isArray(whole);
  const faults = [...faultsOf(whole, isCss ? CSS_SCHEMA : SEED_SCHEMA, didYouMean)];
  const refuse = (): never => {
    const lines = faults.slice(0, FAULTS_SHOWN).map(({ at, detail }) => `  ${at || "/"} ${detail}`);
    const more = faults.length > FAULTS_SHOWN ? [`  … and ${faults.length - FAULTS_SHOWN} more`] : [];
    throw new OperatorError(
      [`Nothing was seeded. In ${file} (what it may say: freehold seed schema):`, ...lines, ...more].join(
        "\n",
      ),
    );
  };
  if (faults.length > 0) refuse();

  const seed = whole as { readonly accounts?: readonly Written[]; readonly vendors?: readonly Written[] };
  const {
    found,
    remarks,
    faults: ofMails,
  } = isCss
    ? ofCss(whole as Parameters<typeof ofCss>[0])
    : {
        found: (["accounts", "vendors"] as const).flatMap((key) =>
          (seed[key] ?? []).map((one, index): readonly [string, Written] => [`/${key}/${index}`, one]),
        ),
        remarks: [],
        faults: [],
      };
  faults.push(...ofMails);

  const folder = dirname(resolve(file));
  const places = new Map<string, string>();
  const accounts: PlannedAccount[] = [];
  for (const [at, account] of found) {
    const nameAt = isCss ? `${at}/name` : `${at}/pod`;
    if (!POD_NAME.test(account.pod) || RESERVED_NAMES.has(account.pod))
      faults.push({
        at: nameAt,
        detail: "wants 1 to 63 letters a-z, digits and inner hyphens, and no reserved name",
      });
    const before = places.get(account.pod);
    if (before !== undefined) faults.push({ at: nameAt, detail: `is that of ${before}, too` });
    places.set(account.pod, nameAt);
    accounts.push(await planned(at, account, folder, (place, detail) => faults.push({ at: place, detail })));
  }
  if (faults.length > 0) refuse();
  return { accounts, remarks };
}

async function planned(
  at: string,
  {
    pod,
    name,
    password,
    passwordFile,
    recoveryFile,
    documents = [],
    shapes = [],
    access = [],
    grants = [],
  }: Written,
  folder: string,
  fault: (at: string, detail: string) => void,
): Promise<PlannedAccount> {
  if ((password === undefined) === (passwordFile === undefined))
    fault(`${at}/password`, "wants password or passwordFile, one of them");
  let secret = password ?? "";
  if (passwordFile !== undefined)
    try {
      secret = readSmallFile(
        resolve(folder, passwordFile),
        PASSWORD_BYTES_MAX,
        "The password file",
      ).text.replace(/\r?\n$/, "");
    } catch (error) {
      fault(`${at}/passwordFile`, (error as Error).message);
    }
  const plannedDocuments: PlannedDocument[] = [];
  const seen = new Map<string, number>();
  for (const [index, { path, file, content, type }] of documents.entries()) {
    const place = `${at}/documents/${index}`;
    if ((file === undefined) === (content === undefined)) fault(place, "wants file or content, one of them");
    if (path.startsWith("/") || path.endsWith("/"))
      fault(`${place}/path`, "wants a document, relative to the pod");
    const before = seen.get(path);
    if (before !== undefined) fault(`${place}/path`, `is that of ${at}/documents/${before}, too`);
    seen.set(path, index);
    const known = type ?? TYPES[extname(path).toLowerCase()];
    if (known === undefined) fault(`${place}/type`, "is missing, for the ending does not say what it is");
    const from = file === undefined ? null : resolve(folder, file);
    if (from !== null && !(await stat(from).catch(() => null))?.isFile())
      fault(`${place}/file`, "is no file");
    plannedDocuments.push({
      at: place,
      path,
      type: known ?? "",
      content: from === null ? (content ?? "") : { file: from },
    });
  }
  const numbered = <T>(rows: readonly T[], key: string): readonly (T & { readonly at: string })[] =>
    rows.map((row, index) => ({ ...row, at: `${at}/${key}/${index}` }));
  const plannedShapes = numbered(shapes, "shapes").map((one) => {
    const iri = SHAPES.find((shape) => shape.name === one.shape)?.iri ?? one.shape;
    if (!/^https?:\/\/\S+$/.test(iri))
      fault(
        `${one.at}/shape`,
        `is no address and no shape of the server's.${didYouMean(
          iri,
          SHAPES.map((shape) => shape.name),
        )}`,
      );
    return { ...one, shape: iri };
  });
  return {
    at,
    pod,
    name: name ?? pod,
    password: secret,
    recoveryFile: recoveryFile === undefined || recoveryFile === null ? null : resolve(folder, recoveryFile),
    documents: plannedDocuments,
    shapes: plannedShapes,
    access: numbered(access, "access"),
    grants: numbered(grants, "grants"),
  };
}

/** @returns the bytes of a planned document. @throws OperatorError when the file has gone meanwhile. */
export async function bytesOf({ at, content }: PlannedDocument): Promise<Uint8Array> {
  if (typeof content === "string") return Buffer.from(content);
  return readFile(content.file).catch((cause: unknown) => {
    throw new OperatorError(`${at}/file cannot be read: ${(cause as Error).message}`, { cause });
  });
}
