/** Doing what a seed file says: what is there already stays as it is, so the same file again changes nothing. */
import { writeFile } from "node:fs/promises";
import { exportRecoveryFile, openPassport } from "@freehold/client/passport";
import { ldp } from "@freehold/vocab";
import type { Context } from "../../context.ts";
import { OperatorError, Problem } from "../../errors.ts";
import { webIdOfPod } from "../../profile.ts";
import type { Pod } from "../../store/pods.ts";
import { type Answer, type AsOwner, openAsOwner, reasonOf } from "../as-owner.ts";
import type { Report } from "../task.ts";
import { bytesOf, type Plan, type PlannedAccount } from "./plan.ts";

export interface Sown {
  readonly accounts: number;
  readonly documents: number;
  readonly shapes: number;
  readonly rules: number;
  readonly grants: number;
  /** What was there already, and stayed. */
  readonly kept: number;
}

type Count = { -readonly [K in keyof Sown]: number };

const LWS_TYPE = "application/lws+json";
const DPV = "https://w3id.org/dpv#";

/** @throws OperatorError with the place in the seed file. */
const refused = (at: string, detail: string, cause?: unknown): OperatorError =>
  new OperatorError(
    `${at}: ${detail}. What stands before it in the file is done; the same file again goes on.`,
    {
      cause,
    },
  );

function wanted(answer: Answer, at: string): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refused(at, reasonOf(answer));
}

/** A path as it is written in an address. */
const escaped = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

/** @returns the passport's first operation, once its keys are in the file. */
async function newPassport(context: Context, { at, recoveryFile }: PlannedAccount): Promise<unknown> {
  if (recoveryFile === null) return null;
  const { createOp, file } = await openPassport(await context.identity.hosting.begin(), context.now());
  await writeFile(recoveryFile, exportRecoveryFile(file), { flag: "wx", mode: 0o600, flush: true }).catch(
    (cause: unknown) => {
      throw refused(`${at}/recoveryFile`, (cause as Error).message, cause);
    },
  );
  return createOp;
}

async function openAccount(context: Context, account: PlannedAccount): Promise<boolean> {
  const { accounts } = context.identity;
  if ((await accounts.list()).some(({ pod }) => pod === account.pod)) return false;
  try {
    await accounts.open({
      name: account.name,
      pod: account.pod,
      password: account.password,
      passkey: null,
      createOp: await newPassport(context, account),
      recoverySaved: account.recoveryFile !== null,
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw refused(account.at, error.detail ?? error.message, error);
  }
  return true;
}

/** A pod's name, a WebID, or one of the two words for many. */
function whoOf(to: string, at: string, baseUrl: string, pods: ReadonlySet<string>): string {
  if (/^https?:\/\//.test(to) || to === "public" || to === "signed-in") return to;
  if (!pods.has(to)) throw refused(`${at}/to`, `There is no pod ${to}`);
  return webIdOfPod(baseUrl, to);
}

async function putShape(
  owner: AsOwner,
  root: string,
  { at, folder, shape }: PlannedAccount["shapes"][number],
): Promise<boolean> {
  const path = `${root}${escaped(folder)}`;
  if ((await owner.ask("HEAD", path)).status === 404)
    wanted(await owner.ask("PUT", path, { "content-type": "text/turtle" }), at);
  const meta = await owner.ask("GET", `${path}.meta`, { accept: "application/n-triples" });
  const statement = `<${ldp.constrainedBy}> <${shape}>`;
  if (meta.status === 200 && meta.text.includes(statement)) return false;
  wanted(
    await owner.ask(
      "PATCH",
      `${path}.meta`,
      { "content-type": "application/sparql-update" },
      `INSERT DATA { <./> ${statement} }`,
    ),
    at,
  );
  return true;
}

async function putGrant(
  owner: AsOwner,
  root: string,
  { at, places, purposes, until, benefit, notice }: PlannedAccount["grants"][number],
  assignee: string,
  baseUrl: string,
): Promise<boolean> {
  const storage = `${baseUrl}${root.slice(1)}`;
  const end = new Date(until.length === 10 ? `${until}T23:59:59Z` : until).toISOString().slice(0, 19) + "Z";
  const iris = purposes.map((one) => (one.includes(":") ? one : DPV + one));
  const values = places.map((place) => `${storage}${escaped(place)}`);
  const isSame = (item: unknown): boolean => {
    const said = JSON.stringify(item);
    return [assignee, ...values, ...iris, end.slice(0, 19)].every((part) => said.includes(part));
  };
  const listed = JSON.parse(
    wanted(await owner.ask("GET", `${root}.consent/grants`, { accept: LWS_TYPE }), at).text,
  ) as { readonly items?: readonly unknown[] };
  if ((listed.items ?? []).some(isSame)) return false;
  const ofKind = (isFolder: boolean) => values.filter((value) => value.endsWith("/") === isFolder);
  const access = [true, false]
    .filter((isFolder) => ofKind(isFolder).length > 0)
    .map((isFolder) => ({
      type: ["AccessPolicy"],
      action: ["read"],
      assignee,
      necessity: "required",
      target: { type: isFolder ? "Container" : "DataResource", value: ofKind(isFolder) },
      constraint: [
        ...(iris.length === 1
          ? [{ leftOperand: "purpose", operator: "eq", rightOperand: iris[0] }]
          : [{ leftOperand: "purpose", operator: "isAnyOf", rightOperand: iris }]),
        { leftOperand: "dateTime", operator: "lteq", rightOperand: end },
      ],
    }));
  const document = {
    "@context": ["https://www.w3.org/ns/lws/v1", "https://w3id.org/freehold/ns"],
    type: ["AccessGrant"],
    storage,
    issued: new Date().toISOString().slice(0, 19) + "Z",
    controller: assignee,
    legalBasis: `${DPV}Consent`,
    ...(notice !== undefined && { notice }),
    ...(benefit !== undefined && { benefit: [{ "@value": benefit, "@language": "en" }] }),
    access,
  };
  wanted(
    await owner.ask("POST", `${root}.consent/grants`, { "content-type": LWS_TYPE }, JSON.stringify(document)),
    at,
  );
  return true;
}

/**
 * Accounts first, for rules and grants may name any of them; then each pod in the file's order.
 * @param replaces Whether documents that are there and say something else are written anew.
 * @throws OperatorError with the place in the file; what came before is done.
 */
export async function sow(
  context: Context,
  { accounts }: Plan,
  replaces: boolean,
  report: Report,
): Promise<Sown> {
  const count: Count = { accounts: 0, documents: 0, shapes: 0, rules: 0, grants: 0, kept: 0 };
  const { baseUrl } = context.config;
  const done = (key: Exclude<keyof Count, "kept">, isNew: boolean): void => {
    count[isNew ? key : "kept"] += 1;
  };
  for (const [index, account] of accounts.entries()) {
    report({ stage: "Accounts", done: index, total: accounts.length, unit: "items" });
    done("accounts", await openAccount(context, account));
  }
  const pods = new Set(
    (await context.pods.list()).filter(({ erased }) => erased === undefined).map(({ name }) => name),
  );
  const total = accounts.reduce((sum, one) => sum + one.documents.length, 0);
  let written = 0;
  const owner = await openAsOwner(context);
  try {
    for (const account of accounts) {
      const root = `/${account.pod}/`;
      for (const shape of account.shapes) done("shapes", await putShape(owner, root, shape));
      for (const document of account.documents) {
        report({ stage: "Documents", done: written, total, unit: "items" });
        written += 1;
        const path = `${root}${escaped(document.path)}`;
        const bytes = await bytesOf(document);
        const there = await owner.ask("GET", path, { accept: document.type });
        const isSame = there.status === 200 && Buffer.compare(there.bytes, bytes) === 0;
        const isNew = there.status === 404 || (!isSame && replaces);
        if (isNew)
          wanted(await owner.ask("PUT", path, { "content-type": document.type }, bytes), document.at);
        done("documents", isNew);
      }
      const pod = (await context.pods.find(account.pod)) as Pod;
      for (const rule of account.access) {
        const who = whoOf(rule.to, rule.at, baseUrl, pods);
        done("rules", await letIn(context, pod, rule, who));
      }
      for (const grant of account.grants)
        done("grants", await putGrant(owner, root, grant, whoOf(grant.to, grant.at, baseUrl, pods), baseUrl));
    }
  } finally {
    await owner.close();
  }
  return count;
}

/** @returns false where they have just that already. */
async function letIn(
  context: Context,
  pod: Pod,
  { at, path, modes }: PlannedAccount["access"][number],
  who: string,
): Promise<boolean> {
  const { access } = context.identity.accounts.deps;
  const place = `/${pod.name}/${escaped(path)}`;
  const kind = who === "public" || who === "signed-in" ? who : ("person" as const);
  const iri = kind === "person" ? who : null;
  const { entries } = await access.overview(pod);
  const is = entries.some(
    (entry) =>
      entry.path === place &&
      entry.who.kind === kind &&
      entry.who.iri === iri &&
      [...entry.modes].sort().join() === [...modes].sort().join(),
  );
  if (is) return false;
  await access.grant(pod, { kind, iri }, place, modes).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    throw refused(at, error.detail ?? error.message, error);
  });
  return true;
}
