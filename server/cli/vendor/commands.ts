/** `freehold vendor …`: what a vendor does, from its first key to the reckoning. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Action,
  type Change,
  countersign,
  FreeholdError,
  nativeOf,
  openPod,
  type Pod,
  queryUnder,
  receipts,
  reconcile,
  requestAccess,
  under,
  type WantedAccess,
  waitForDecision,
  watch,
  watchByWebhook,
} from "@freehold/client";
import { createVendor, fileMemory, listenToWebhooks, openVendor, type Vendor } from "@freehold/client/node";
import { EXIT } from "../messages.ts";
import { flagOf, type ProgramCommand, type ProgramInput } from "../program.ts";
import { findSecret } from "../secret.ts";
import { token } from "./token.ts";

const DPV = "https://w3id.org/dpv#";
const DAY_MS = 86_400_000;
const DAYS = 90;
const PORT = 8080;

const asIri = (name: string, namespace = DPV): string => (name.includes(":") ? name : namespace + name);

/** The pod of a request or a grant: its address begins with the pod's. */
const podOf = (vendor: Vendor, address: string): Promise<Pod> => {
  const [root, rest] = address.split(".consent/", 2);
  if (root === undefined || rest === undefined)
    throw new FreeholdError("input-invalid", "This is no request or grant", { detail: address });
  return openPod(root, { fetch: vendor.fetch });
};

const basisOf = (vendor: Vendor, grant: string, input: ProgramInput) => {
  const purpose = flagOf(input, "purpose");
  return { grant, ledger: vendor.ledger, ...(purpose !== undefined && { purpose: asIri(purpose) }) };
};

const init: ProgramCommand = {
  name: "init",
  usage: "<issuer> <client>",
  about: "Make a vendor: log in by client credentials, make a key and publish its public half",
  flags: {
    "secret-file": "File with the client's secret",
    "secret-env": "Environment variable that holds it",
  },
  async run(input) {
    const [issuer = "", clientId = ""] = input.args;
    const secret = await findSecret(
      {
        file: flagOf(input, "secret-file"),
        variable: flagOf(input, "secret-env"),
        mayAsk: true,
        about: "Secret of the client",
        isNew: false,
      },
      process.env,
      { input: process.stdin, output: process.stderr },
    );
    if (secret === null) throw new FreeholdError("input-invalid", "The client's secret is missing");
    const { identity } = await createVendor(input.folder, { issuer, clientId, clientSecret: secret });
    input.say(`webid  ${identity.webid}`);
    input.say(`key    ${identity.verificationMethod}`);
    return 0;
  },
};

const ACTIONS: Readonly<Record<string, Action>> = { read: "read", add: "create", change: "modify" };

function wantedOf(input: ProgramInput): readonly WantedAccess[] {
  const purposes = (input.flags["purpose"] ?? []).map((one) => asIri(one));
  const until = new Date(Date.now() + Number(flagOf(input, "days") ?? DAYS) * DAY_MS);
  const keep = flagOf(input, "keep");
  const categories = (input.flags["category"] ?? []).map((one) => asIri(one, "https://w3id.org/dpv/pd#"));
  if (purposes.length === 0 || Number.isNaN(until.getTime()))
    throw new FreeholdError(
      "input-invalid",
      "Say what it is for (--purpose), and for how many days (--days)",
    );
  return Object.entries(ACTIONS).flatMap(([flag, action]): readonly WantedAccess[] => {
    const places = input.flags[flag] ?? [];
    if (places.length === 0) return [];
    const kept = keep === undefined ? {} : { mode: "store" as const, dataLife: keep };
    return [{ places, actions: [action], purposes, until, categories, ...kept }];
  });
}

const request: ProgramCommand = {
  name: "request",
  usage: "<pod>",
  about:
    "Ask for access, by the pod's address, its owner's WebID or a passport; prints the request's address",
  flags: {
    read: "Document or folder to read",
    add: "Folder to add documents to",
    change: "Document or folder to change",
    purpose: "What for: a DPV purpose, such as DeliveryOfGoods",
    category: "Kind of personal data: a DPV category, such as Address",
    days: `For how long (${DAYS})`,
    keep: "How long what was read is kept: an xsd:duration, such as P30D; otherwise it is looked at only",
    notice: "Address of the privacy notice",
    benefit: "What the person gets, in a sentence",
    language: "The language of that sentence (en)",
    location: "Where the data are kept: such as https://w3id.org/dpv/loc#CH",
    inbox: "Where the vendor is told of decisions",
    resolver: "Where passports are looked up",
  },
  async run(input) {
    const [where = ""] = input.args;
    const vendor = await openVendor(input.folder);
    const pod = await openPod(where, {
      fetch: vendor.fetch,
      resolvers: input.flags["resolver"] ?? [],
      memory: fileMemory(join(input.folder, "memory")),
    });
    const inbox = flagOf(input, "inbox");
    const { id, state } = await requestAccess(
      pod,
      {
        access: wantedOf(input),
        notice: flagOf(input, "notice") ?? "",
        benefit: { [flagOf(input, "language") ?? "en"]: flagOf(input, "benefit") ?? "" },
        locations: input.flags["location"] ?? [],
        ...(inbox !== undefined && { inbox }),
      },
      vendor.identity,
    );
    input.say(`request  ${id}`);
    input.say(`state    ${state}`);
    return 0;
  },
};

const wait: ProgramCommand = {
  name: "wait",
  usage: "<request>",
  about: "Wait for the decision, and countersign the receipts of what was granted; ends with 1 when it is no",
  async run({ args: [id = ""], folder, signal, say }) {
    const vendor = await openVendor(folder);
    const pod = await podOf(vendor, id);
    const { state, grants } = await waitForDecision(pod, id, { signal });
    say(`state    ${state}`);
    for (const grant of grants) {
      await countersign(pod, grant, vendor.identity);
      say(`grant    ${grant}`);
    }
    return state === "Granted" ? 0 : EXIT.failed;
  },
};

const query: ProgramCommand = {
  name: "query",
  usage: "<grant> <query>",
  about: "Ask the pod in SPARQL; a query that begins with @ is the name of a file",
  flags: { purpose: "What for, where the grant is for several purposes" },
  async run(input) {
    const [grant = "", asked = ""] = input.args;
    const vendor = await openVendor(input.folder);
    const pod = await podOf(vendor, grant);
    const sparql = asked.startsWith("@") ? await readFile(asked.slice(1), "utf8") : asked;
    for await (const row of queryUnder(pod, basisOf(vendor, grant, input), sparql)) {
      const cells = Object.entries(row).map(([name, cell]) => [name, cell && nativeOf(cell)]);
      input.say(JSON.stringify(Object.fromEntries(cells)));
    }
    return 0;
  },
};

const said = ({ type, object }: Change): string => `${type}  ${object}`;

/** Until the program is stopped: then it is told nothing any more. */
async function listen(pod: Pod, place: string, sendTo: string, input: ProgramInput): Promise<void> {
  const webhooks = await listenToWebhooks(Number(flagOf(input, "port") ?? PORT), (change) =>
    input.say(said(change)),
  );
  try {
    const webhook = await watchByWebhook(pod, place, sendTo);
    input.say(said({ type: "Begin", object: pod.at(place), cursor: 0 }));
    await new Promise<void>((done) => {
      if (input.signal.aborted) done();
      input.signal.addEventListener("abort", () => done(), { once: true });
    });
    await webhook.end();
  } finally {
    webhooks.close();
  }
}

const watching: ProgramCommand = {
  name: "watch",
  usage: "<grant> <place>",
  about: "Print what changes at a place in the pod, until it is revoked or stopped",
  flags: {
    purpose: "What for, where the grant is for several purposes",
    webhook: "Be told at this address, and not by a connection that stays open",
    port: `Where to listen for that (${PORT})`,
  },
  async run(input) {
    const [grant = "", place = ""] = input.args;
    const vendor = await openVendor(input.folder);
    const pod = under(await podOf(vendor, grant), basisOf(vendor, grant, input));
    const sendTo = flagOf(input, "webhook");
    const { signal, say } = input;
    if (sendTo !== undefined) await listen(pod, place, sendTo, input);
    else for await (const change of watch(pod, place, { signal })) say(said(change));
    return 0;
  },
};

const listing: ProgramCommand = {
  name: "receipts",
  usage: "<grant>",
  about: "Print the receipts of a grant: of the consent, and of each use",
  async run({ args: [grant = ""], folder, say }) {
    const vendor = await openVendor(folder);
    const pod = await podOf(vendor, grant);
    for await (const { id, kind, document } of receipts(pod, grant)) {
      const when = document["as:published"] ?? document["dct:created"];
      say(`${String(when)}  ${kind}  ${id}`);
    }
    return 0;
  },
};

const reckoning: ProgramCommand = {
  name: "reconcile",
  usage: "<grant>",
  about: "Hold what this vendor noted against the pod's receipts; ends with 1 when they do not agree",
  async run({ args: [grant = ""], folder, say }) {
    const vendor = await openVendor(folder);
    const pod = await podOf(vendor, grant);
    const found = await reconcile(pod, grant, vendor.ledger, vendor.identity);
    say(`uses that both know        ${found.matched}`);
    for (const id of found.onlyPod) say(`only the pod knows of      ${id}`);
    for (const id of found.onlyVendor) say(`only the vendor knows of   ${id}`);
    for (const id of found.differing) say(`they disagree about        ${id}`);
    for (const id of found.unsigned) say(`not signed by the server   ${id}`);
    say(`consent signed by both     ${found.isCountersigned ? "yes" : "no"}`);
    return found.agrees ? 0 : EXIT.failed;
  },
};

export const VENDOR_COMMANDS: readonly ProgramCommand[] = [
  init,
  request,
  wait,
  query,
  token,
  watching,
  listing,
  reckoning,
];
