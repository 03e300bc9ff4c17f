/**
 * Access requests and grants as they stand on the wire, read strictly: a policy that says something unknown is refused, for
 * it could narrow. The document is JSON-LD whose names are fixed, so it is read by its names.
 * @see https://w3c.github.io/lws-protocol/lws10-core/#access-data-model
 */
import { isObject, type Json } from "../passport/form.ts";
import { isIri, readConstraints, termOf, writeConstraints } from "./constraint.ts";
import {
  ACTIONS,
  type Action,
  CONTEXTS,
  type Draft,
  type DraftPolicy,
  type Flaw,
  FREEHOLD,
  LWS,
  LWS_CONTEXT,
  type Policy,
  type PolicyTarget,
  SHACL,
  type Terms,
} from "./model.ts";
import { readMoment, writeMoment } from "./moments.ts";

const POLICIES_MAX = 16;
const VALUES_IN_ALL_MAX = 256; // Of all constraints: each is held against a shape, for whoever asks.
const TARGETS_MAX = 32;
const OTHERS_MAX = 32;
const CONTEXTS_MAX = 8;
const BENEFIT_LENGTH_MAX = 140;
const LANGUAGES_MAX = 24;

/** Of signs that are not seen, and of those that turn a line round: all but the two joiners, which some alphabets need. */
const UNSEEN = /(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]/u;

/** Whether it is one line that shows all it says, of at most so many characters. */
export function isLine(value: unknown, lengthMax: number = BENEFIT_LENGTH_MAX): value is string {
  return (
    typeof value === "string" &&
    value.length <= 2 * lengthMax &&
    Array.from(value).length <= lengthMax &&
    value.trim() !== "" &&
    !UNSEEN.test(value)
  );
}

type Read<T> = (value: unknown) => T | undefined;

const iri: Read<string> = (value) => (isIri(value) ? value : undefined);
const iris: Read<readonly string[]> = (value) =>
  Array.isArray(value) && value.length <= TARGETS_MAX && value.every(isIri) ? value : undefined;

const price: Read<Terms["price"]> = (value) => {
  if (!isObject(value) || Object.keys(value).some((name) => !["type", "amount", "currency"].includes(name)))
    return undefined;
  const { amount, currency } = value;
  const isAmount = typeof amount === "string" && /^\d{1,9}(?:\.\d{1,6})?$/.test(amount);
  const isCurrency = typeof currency === "string" && /^[A-Z]{3}$/.test(currency);
  return isAmount && isCurrency ? { amount, currency } : undefined;
};

/** `[{"@value": "…", "@language": "en"}]`: one text a language. */
const benefit: Read<Readonly<Record<string, string>>> = (value) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > LANGUAGES_MAX) return undefined;
  const texts: Record<string, string> = {};
  for (const one of value as readonly unknown[]) {
    if (!isObject(one) || Object.keys(one).length !== 2) return undefined;
    const { "@value": text, "@language": language } = one;
    if (typeof language !== "string" || !/^[a-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}$/.test(language))
      return undefined;
    if (!isLine(text) || Object.hasOwn(texts, language)) return undefined;
    texts[language] = text;
  }
  return texts;
};

/** Members of the document beside its policies: what each holds, and what to say when it does not. */
const MEMBERS: Readonly<Record<string, readonly [term: keyof Terms, read: Read<unknown>, what: string]>> = {
  inbox: ["inbox", iri, "An absolute address"],
  controller: ["controller", iri, "An absolute address"],
  legalBasis: ["legalBasis", iri, "The address of a legal basis"],
  recipients: ["recipients", iris, `At most ${TARGETS_MAX} absolute addresses`],
  locations: ["locations", iris, `At most ${TARGETS_MAX} absolute addresses`],
  automation: ["automation", iri, "The address of a level of automation"],
  decidesAboutPerson: [
    "decidesAboutPerson",
    (value) => (typeof value === "boolean" ? value : undefined),
    "true or false",
  ],
  notice: ["notice", iri, "The absolute address of a privacy notice"],
  benefit: [
    "benefit",
    benefit,
    `Texts with @value (one line, at most ${BENEFIT_LENGTH_MAX} characters) and @language, one a language`,
  ],
  price: ["price", price, 'Such as {"amount": "4.50", "currency": "EUR"}'],
  terms: ["terms", iri, "The address of an agreement"],
};

const KNOWN: ReadonlySet<string> = new Set([
  "@context",
  "type",
  "storage",
  "issued",
  "nonce",
  "access",
  "proof",
  ...Object.keys(MEMBERS),
]);

/** Names that a context of somebody else's must not give another meaning. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  ...KNOWN,
  ..."id action assignee target constraint leftOperand operator rightOperand value personalData necessity".split(
    " ",
  ),
  ..."count per amount currency AccessRequest AccessGrant AccessPolicy View NodeShape".split(" "),
]);

/** What would make of a document another one than its names say; null where nothing does. */
function flawOfContext(context: unknown): string | null {
  const entries = Array.isArray(context) ? (context as readonly unknown[]) : [];
  if (!entries.includes(LWS_CONTEXT) || entries.length > CONTEXTS_MAX)
    return `A list of at most ${CONTEXTS_MAX} that includes ${LWS_CONTEXT}`;
  for (const entry of entries) {
    if (isIri(entry)) continue;
    if (!isObject(entry)) return "An entry is an address or an object";
    const name = Object.keys(entry).find((one) => one.startsWith("@") || OWN_NAMES.has(one));
    if (name !== undefined) return `Nothing here may give another meaning to ${name.slice(0, 32)}`;
  }
  return null;
}

const isTypes = (value: unknown, needed: string): boolean =>
  Array.isArray(value) &&
  value.length <= TARGETS_MAX &&
  value.every((one) => isIri(one) || termOf(one) !== null) &&
  value.some((one) => termOf(one) === needed);

const POLICY_MEMBERS: ReadonlySet<string> = new Set([
  "type",
  "action",
  "assignee",
  "necessity",
  "personalData",
  "target",
  "constraint",
]);

const KINDS: Readonly<Record<string, PolicyTarget["kind"] | "any">> = {
  DataResource: "resource",
  Container: "container",
  Storage: "storage",
  StorageResource: "any",
  View: "view",
  NodeShape: "shape",
};

/** What a policy is about; two, where documents and folders are named together. */
function readTargets(value: unknown, storage: string, at: string, flaws: Flaw[]): readonly PolicyTarget[] {
  const refuse = (detail: string, place = at): readonly PolicyTarget[] => {
    flaws.push({ at: place, detail });
    return [];
  };
  if (value === undefined) return [{ kind: "storage", values: [storage] }];
  if (!isObject(value) || Object.keys(value).some((name) => name !== "type" && name !== "value"))
    return refuse("A target has type and value, and nothing else");
  const name = termOf(value["type"], [LWS, FREEHOLD, SHACL]);
  const kind = name !== null && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined) return refuse(`One of ${Object.keys(KINDS).join(", ")}`, `${at}/type`);
  const values = iris(value["value"]);
  if (!values || values.length === 0) return refuse(`1 to ${TARGETS_MAX} absolute addresses`, `${at}/value`);
  const unique = [...new Set(values)];
  if (kind === "shape") return [{ kind, values: unique }];
  if (unique.some((one) => !one.startsWith(storage) || /[?#]/.test(one)))
    return refuse("Every address is of this storage, without query or fragment", `${at}/value`);
  if (kind === "view") return [{ kind, values: unique }];
  if (unique.includes(storage) || kind === "storage") {
    // Whoever names a part of it is never taken to mean all of it.
    if (kind === "storage" && (unique.length > 1 || !unique.includes(storage)))
      return refuse("A storage is named by its root alone", `${at}/value`);
    if (kind === "resource") return refuse("This is no document", `${at}/value`);
    return [{ kind: "storage", values: [storage] }];
  }
  const folders = unique.filter((one) => one.endsWith("/"));
  const documents = unique.filter((one) => !one.endsWith("/"));
  if (kind === "resource" && folders.length > 0) return refuse("These are folders", `${at}/value`);
  if (kind === "container" && documents.length > 0) return refuse("These are documents", `${at}/value`);
  return [
    ...(documents.length > 0 ? [{ kind: "resource" as const, values: documents }] : []),
    ...(folders.length > 0 ? [{ kind: "container" as const, values: folders }] : []),
  ];
}

function readPolicies(
  value: unknown,
  storage: string,
  at: string,
  flaws: Flaw[],
): { readonly assignee: string | null; readonly policies: readonly DraftPolicy[] } {
  const none = { assignee: null, policies: [] };
  if (!isObject(value)) {
    flaws.push({ at, detail: "A policy is an object" });
    return none;
  }
  const odd = Object.keys(value).find((name) => !POLICY_MEMBERS.has(name));
  if (odd !== undefined) {
    flaws.push({ at, detail: `A policy says nothing else than ${[...POLICY_MEMBERS].join(", ")}` });
    return none;
  }
  const check = (isRight: boolean, name: string, detail: string): void => {
    if (!isRight) flaws.push({ at: `${at}/${name}`, detail });
  };
  check(isTypes(value["type"], "AccessPolicy"), "type", "A list that includes AccessPolicy");
  const named = Array.isArray(value["action"]) ? (value["action"] as readonly unknown[]) : [];
  const actions = [...new Set(named.map((one) => termOf(one)))] as Action[];
  check(
    actions.length > 0 && named.length <= TARGETS_MAX && actions.every((one) => ACTIONS.includes(one)),
    "action",
    `A list of ${ACTIONS.join(", ")}`,
  );
  check(isIri(value["assignee"]), "assignee", "The WebID of whoever asks");
  const necessity = value["necessity"] === undefined ? null : termOf(value["necessity"]);
  check(
    necessity === null ? value["necessity"] === undefined : /^(?:required|optional)$/.test(necessity),
    "necessity",
    "required or optional",
  );
  const categories = value["personalData"] === undefined ? [] : iris(value["personalData"]);
  check(categories !== undefined, "personalData", `At most ${TARGETS_MAX} addresses of categories`);
  const before = flaws.length;
  const targets = readTargets(value["target"], storage, `${at}/target`, flaws);
  const limits = readConstraints(value["constraint"], `${at}/constraint`, flaws);
  if (flaws.length > before) return none;
  return {
    assignee: isIri(value["assignee"]) ? value["assignee"] : null,
    policies: targets.map((target) => ({
      ...limits,
      categories: categories ?? [],
      actions,
      target,
      necessity: necessity as DraftPolicy["necessity"],
    })),
  };
}

/**
 * Reads a request or a grant.
 * @param type Which of the two it must be.
 * @returns what it says, or everything that is wrong with it.
 */
export function readAccess(
  document: Json,
  type: "AccessRequest" | "AccessGrant",
):
  | { readonly draft: Draft; readonly flaws: null }
  | { readonly draft: null; readonly flaws: readonly Flaw[] } {
  const flaws: Flaw[] = [];
  const check = (isRight: boolean, at: string, detail: string): void => {
    if (!isRight) flaws.push({ at, detail });
  };
  const contextFlaw = flawOfContext(document["@context"]);
  if (contextFlaw !== null) flaws.push({ at: "/@context", detail: contextFlaw });
  check(isTypes(document["type"], type), "/type", `A list that includes ${type}`);
  const storage = isIri(document["storage"]) && document["storage"].endsWith("/") ? document["storage"] : "";
  check(storage !== "", "/storage", "The address of a pod's root; it ends in /");
  const issued = readMoment(document["issued"]);
  check(document["issued"] === undefined || issued !== null, "/issued", "An xsd:dateTimeStamp");

  const nonce = document["nonce"];
  const isNonce = typeof nonce === "string" && /^[\w-]{22}$/.test(nonce);
  check(
    nonce === undefined || (isNonce && type === "AccessRequest"),
    "/nonce",
    "What the person gave you, as it was",
  );

  const terms: Record<string, unknown> = {};
  for (const [name, [term, read, what]] of Object.entries(MEMBERS)) {
    const value = document[name];
    const found = value === undefined ? null : read(value);
    check(found !== undefined, `/${name}`, what);
    terms[term] = found ?? null;
  }
  const others = Object.keys(document).filter((name) => !KNOWN.has(name));
  check(others.length <= OTHERS_MAX, "", `At most ${OTHERS_MAX} members that are not known here`);
  // Whoever gives access must not believe that something narrows it that does not.
  if (type === "AccessGrant")
    for (const name of others)
      flaws.push({ at: `/${name.slice(0, 64)}`, detail: "This member is not known here" });

  const access = Array.isArray(document["access"]) ? (document["access"] as readonly unknown[]) : [];
  check(
    access.length > 0 && access.length <= POLICIES_MAX,
    "/access",
    `A list of 1 to ${POLICIES_MAX} policies`,
  );
  const assignees = new Set<string | null>();
  const policies: DraftPolicy[] = [];
  if (storage !== "" && access.length <= POLICIES_MAX)
    for (const [index, one] of access.entries()) {
      const found = readPolicies(one, storage, `/access/${index}`, flaws);
      assignees.add(found.assignee);
      policies.push(...found.policies);
    }
  const values = policies.flatMap(({ purposes, clients, mediaTypes, types, fields }) => [
    ...purposes,
    ...[clients, mediaTypes, types, fields].flatMap((some) => some ?? []),
  ]);
  check(
    values.length <= VALUES_IN_ALL_MAX,
    "/access",
    `All constraints together name at most ${VALUES_IN_ALL_MAX} values`,
  );
  check(assignees.size <= 1 || flaws.length > 0, "/access", "All policies have the same assignee");
  if (flaws.length > 0) return { draft: null, flaws };
  terms["assignee"] = [...assignees][0] ?? null;
  return {
    draft: {
      storage,
      issued,
      policies,
      terms: terms as Draft["terms"],
      nonce: isNonce ? nonce : null,
      others,
    },
    flaws: null,
  };
}

const TYPE_OF: Readonly<Record<PolicyTarget["kind"], string>> = {
  resource: "DataResource",
  container: "Container",
  storage: "Storage",
  view: "View",
  shape: "NodeShape",
};

/** A policy as it stands in a document. @param policy Its targets are addresses. */
export function writePolicy(policy: DraftPolicy | Policy, assignee: string): Json {
  return {
    type: ["AccessPolicy"],
    action: policy.actions,
    assignee,
    ...(policy.necessity !== null && { necessity: policy.necessity }),
    target: { type: TYPE_OF[policy.target.kind], value: policy.target.values },
    ...(policy.categories.length > 0 && { personalData: policy.categories }),
    constraint: writeConstraints(policy),
  };
}

/** Members by which a document says what {@link Terms} hold; what is null is left out. */
function writeTerms(terms: { readonly [name in keyof Terms]?: Terms[name] | null }): Json {
  const members: Record<string, unknown> = {};
  for (const [name, [term]] of Object.entries(MEMBERS)) {
    const value = terms[term];
    if (value === null || value === undefined) continue;
    members[name] =
      term === "benefit"
        ? Object.entries(value as Terms["benefit"]).map(([language, text]) => ({
            "@value": text,
            "@language": language,
          }))
        : value;
  }
  return members;
}

/** A request or a grant, before it is signed. @param issued Milliseconds since 1970. */
export function writeAccess(
  type: "AccessRequest" | "AccessGrant",
  content: {
    readonly storage: string;
    readonly issued: number;
    readonly terms: { readonly [name in keyof Terms]?: Terms[name] | null } & Pick<Terms, "assignee">;
    /** Their targets are addresses. */
    readonly policies: readonly (DraftPolicy | Policy)[];
  },
): Json {
  const { storage, issued, terms, policies } = content;
  return {
    "@context": CONTEXTS,
    type: [type],
    storage,
    issued: writeMoment(issued),
    ...writeTerms(terms),
    access: policies.map((policy) => writePolicy(policy, terms.assignee)),
  };
}
