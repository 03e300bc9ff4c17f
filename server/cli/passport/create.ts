/** `freehold passport create`: by the one-time link of a pod server, or by a registrar's own key. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FreeholdError, fetchOk } from "@freehold/client";
import {
  type Desk,
  decodeBase64url,
  decodeKey,
  encodeBase64url,
  exportRecoveryFile,
  generateKeyPair,
  importRecoveryFile,
  isObject,
  isZone,
  type KeyPair,
  keyPairOfSeed,
  openPassport,
  parseStrictJson,
  recoveryFileName,
  type Signed,
  sponsorOperation,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { writeDurably } from "../../store/durable.ts";
import { flagOf, type ProgramCommand, type ProgramInput } from "../program.ts";
import { findSecret } from "../secret.ts";
import { carry, speakAgain } from "./carry.ts";
import { type Holder, lookUp, REGISTRY_FLAG, resolving } from "./holder.ts";
import { createKept, hasKept, openKept, type Step, stepOf } from "./kept.ts";

/** Of a registrar, or of a host: whoever has the file can sign with it. */
interface KeyFile {
  readonly format: "dcann-key";
  readonly version: 1;
  readonly key: string;
  readonly secret: string;
}

/** @throws OperatorError for what is no file of a key. */
export async function readKeyFile(path: string): Promise<KeyPair> {
  let value: unknown = null;
  try {
    value = parseStrictJson(await readFile(path, "utf8"));
  } catch (cause) {
    throw new OperatorError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const seed =
    isObject(value) && value["format"] === "dcann-key" ? decodeBase64url(value["secret"], 32) : null;
  const pair = seed && (await keyPairOfSeed(seed));
  if (pair && isObject(value) && value["key"] === pair.key) return pair;
  throw new OperatorError(`${path} is no file of a key, or is damaged. freehold passport key makes one.`);
}

export const keyCommand: ProgramCommand = {
  name: "key",
  usage: "<file>",
  about: "Make a key for a registrar or a host, in a file; prints the public half",
  async run({ args: [path = ""], say }) {
    if (await hasKept(path))
      throw new OperatorError(`There is a file ${path} already, and no keys are written over.`);
    const { key, seed } = await generateKeyPair();
    const file: KeyFile = { format: "dcann-key", version: 1, key, secret: encodeBase64url(seed) };
    await writeDurably(path, Buffer.from(`${JSON.stringify(file, null, 2)}\n`));
    say(`key      ${key}`);
    return 0;
  },
};

/** The doors of accounts answer to the server's own pages only, and this program comes by a link that is as good. */
async function post(
  url: string,
  value: unknown,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    origin: new URL(url).origin,
  };
  const response = await fetchOk(globalThis.fetch, url, {
    method: "POST",
    headers,
    body: JSON.stringify(value),
    signal,
  });
  const answer: unknown = await response.json();
  return isObject(answer) ? answer : {};
}

function deskOf({ zone, registrar, delegateKey }: Readonly<Record<string, unknown>>): Desk {
  if (
    isZone(zone) &&
    typeof registrar === "string" &&
    typeof delegateKey === "string" &&
    decodeKey(delegateKey)
  )
    return { zone, registrar, delegateKey };
  throw new FreeholdError("answer-invalid", "The server did not say how a passport is opened with it");
}

/** A file that holds keys already is taken up where it was left. */
async function prepared(
  input: ProgramInput,
  to: string,
  desk: () => Promise<Desk>,
  sponsored: (signed: Signed) => Promise<Signed>,
): Promise<{ readonly holder: Holder; readonly step: Step }> {
  const named = input.args[1];
  const options = await resolving({
    ...input,
    flags: { ...input.flags, registry: [...(input.flags["registry"] ?? []), to] },
  });
  const holderOf = (kept: Holder["kept"]): Holder => {
    const id = kept.imported().file.passport;
    return { id, kept, options, now: input.now, look: () => lookUp(id, options) };
  };
  if (named !== undefined && (await hasKept(named))) {
    const kept = await openKept(named);
    const step = kept.steps().find(({ signed }) => signed.op.t === "create");
    if (step) return { holder: holderOf(kept), step };
  }
  const { createOp, file } = await openPassport(await desk(), input.now());
  const step = await stepOf(to, await sponsored(createOp));
  const path = named ?? join(input.folder, recoveryFileName(file.passport));
  await importRecoveryFile(exportRecoveryFile(file)); // What could not be read again is given to nobody.
  const kept = await createKept(path, file);
  await kept.add(step);
  input.say(`keys     ${path}: keep it where you keep your most important papers`);
  return { holder: holderOf(kept), step };
}

async function byLink(input: ProgramInput, link: URL): Promise<number> {
  const { say, signal, report } = input;
  const token = new URLSearchParams(link.hash.slice(1)).get("token") ?? "";
  const base = new URL("../", link).href;
  const [name, pod] = [flagOf(input, "name"), flagOf(input, "pod")];
  if (name === undefined || pod === undefined)
    throw new OperatorError("Say who you are and where you will live: --name … --pod …");
  const password = await findSecret(
    {
      file: flagOf(input, "password-file"),
      variable: flagOf(input, "password-env"),
      mayAsk: true,
      about: "Password for your account",
      isNew: true,
    },
    process.env,
    { input: process.stdin, output: process.stderr },
  );
  if (password === null) throw new OperatorError("An account needs a password: --password-file …");
  // What was begun before knows its registry; the link may be used up.
  const isBegun = input.args[1] !== undefined && (await hasKept(input.args[1]));
  const facts = isBegun ? {} : await post(`${base}.account/setup/begin`, { token }, signal);
  const { holder, step } = await prepared(
    input,
    typeof facts["registry"] === "string" ? facts["registry"] : base,
    async () => deskOf(facts),
    async (signed) => signed,
  );
  const stage = (done: number): void =>
    report({ stage: "freehold passport: create", done, total: 2, unit: "items" });
  stage(0);
  const opening = { token, name, pod, password, createOp: step.signed, recoverySaved: true };
  await post(`${base}.account/setup`, opening, signal).catch(async (error: unknown) => {
    // The link is used up: by this very set-up, if the passport is there.
    const isThere = await holder.look().then(
      () => true,
      () => false,
    );
    if (!isThere) throw error;
  });
  stage(1);
  const { passport } = await holder.look();
  await holder.kept.settle(step, input.now());
  stage(2);
  say(`passport ${holder.id}`);
  say(`leads to ${passport.data?.storage[0]?.url ?? "no pod yet"}`);
  return 0;
}

async function byRegistrar(input: ProgramInput, registry: URL): Promise<number> {
  const [registrar, keyPath, zone] = ["registrar", "registrar-key", "zone"].map((flag) =>
    flagOf(input, flag),
  );
  if (registrar === undefined || keyPath === undefined || !isZone(zone))
    throw new OperatorError(
      "Give the link that a pod server gave you (freehold setup-link); or, as a registrar, --zone, --registrar and --registrar-key.",
    );
  const pair = await readKeyFile(keyPath);
  const [pod, webid] = [flagOf(input, "pod"), flagOf(input, "webid")];
  const delegateKey = flagOf(input, "delegate");
  const { holder, step } = await prepared(
    input,
    registry.href,
    // Without a host nobody but the owner can say where the passport leads: this key is thrown away.
    async () => ({ zone, registrar, delegateKey: delegateKey ?? (await generateKeyPair()).key }),
    (signed) => sponsorOperation(signed, registrar, pair),
  );
  await carry(input, holder, step);
  input.say(`passport ${holder.id}`);
  if (pod === undefined) return 0;
  const { makeData } = await import("@freehold/client/registry");
  const storage = [{ id: "#pod", url: pod }];
  const data = makeData({
    id: holder.id,
    aseq: 0,
    dseq: 0,
    webid: webid === undefined ? [] : [webid],
    storage,
  });
  await speakAgain(input, holder, data);
  return 0;
}

export const createCommand: ProgramCommand = {
  name: "create",
  usage: "<link> [file]",
  about:
    "Open an account with pod and passport by the one-time link of a pod server; a registrar gives its registry's address instead",
  flags: {
    name: "What you are called",
    pod: "Name of your pod; for a registrar, its address",
    "password-file": "File with the password for your account",
    "password-env": "Environment variable that holds it",
    zone: "For a registrar: the zone",
    registrar: "For a registrar: its name",
    "registrar-key": "For a registrar: file with its key (freehold passport key)",
    delegate: "For a registrar: public key of the pod's host",
    webid: "For a registrar: the WebID",
    ...REGISTRY_FLAG,
  },
  async run(input) {
    const [where = ""] = input.args;
    if (!URL.canParse(where)) throw new OperatorError(`${where} is no address.`);
    const url = new URL(where);
    return url.hash.startsWith("#token=") ? byLink(input, url) : byRegistrar(input, url);
  },
};
