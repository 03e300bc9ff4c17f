/** The two languages in which a server's pods may say who may do what, as far as they differ outside the decision itself. */
import { acl, acp, rdf } from "@freehold/vocab";
import { OperatorError, Problem } from "../errors.ts";
import type { Target } from "../iri.ts";
import type { Pods } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { CONDITION_TYPES, MODE_IRIS } from "./acl.ts";
import { MODES } from "./decide.ts";
import { ATTRIBUTES } from "./policies.ts";

export type LanguageName = "wac" | "acp";

export interface Language {
  readonly name: LanguageName;
  /** How the address of a resource's rules ends. */
  readonly ending: ".acl" | ".acr";
  /** Fields of `Link` on every answer about rules. */
  readonly links: readonly string[];
  /** Those that an answer to OPTIONS has besides. */
  readonly optionLinks: readonly string[];
  /** What rules say, in Turtle, that nobody has written; null where that differs from any that are written. */
  readonly implied: ((url: string) => string) | null;
  /** Rules for the owner alone, whatever those of the folders above say, in Turtle. */
  readonly ownerOnly: (owner: string, url: string) => string;
}

const link = (iri: string, relation: string): string => `<${iri}>; rel="${relation}"`;
const ALL = [acl.Read, acl.Write, acl.Control].map((mode) => `<${mode}>`).join(", ");

const WAC: Language = Object.freeze({
  name: "wac",
  ending: ".acl",
  // https://solidproject.org/TR/wac#server-link-condition
  links: CONDITION_TYPES.map((type) => link(type, acl.condition)),
  optionLinks: [],
  implied: null, // https://solidproject.org/TR/wac#server-get-acl-without-representation
  ownerOnly(owner: string, url: string) {
    const inherited = url.endsWith("/") ? ` ; <${acl.default}> <${url}>` : "";
    return `<#owner> <${rdf.type}> <${acl.Authorization}> ; <${acl.agent}> <${owner}> ; <${acl.accessTo}> <${url}>${inherited} ; <${acl.mode}> ${ALL} .\n`;
  },
});

/** https://solid.github.io/authorization-panel/acp-specification/#conforming-acp-server */
const ACP: Language = Object.freeze({
  name: "acp",
  ending: ".acr",
  links: [link(acp.AccessControlResource, "type")],
  optionLinks: [
    ...MODES.map((mode) => link(MODE_IRIS[mode], acp.grant)),
    ...[...ATTRIBUTES, "target", "creator", "owner"].map((name) =>
      link(`${acp.attribute.slice(0, -"attribute".length)}${name}`, acp.attribute),
    ),
  ],
  implied: (url: string) => acrOf(url, []),
  // What folders above allow reaches everything below them, and only denying stops it.
  ownerOnly: (owner: string, url: string) =>
    acrOf(url, [
      { name: "owner", allow: ALL, matcher: `<${acp.agent}> <${owner}>`, inherited: true },
      {
        name: "others",
        deny: MODES.map((mode) => `<${MODE_IRIS[mode]}>`).join(", "),
        matcher: `<${acp.agent}> <${acp.PublicAgent}>`,
        but: `<${acp.agent}> <${owner}>`,
        inherited: true,
      },
    ]),
});

const LANGUAGES: Readonly<Record<LanguageName, Language>> = { wac: WAC, acp: ACP };

export const languageOf = (name: LanguageName): Language => LANGUAGES[name];

export interface WrittenPolicy {
  /** After `#`, once in the document. */
  readonly name: string;
  /** Modes, in Turtle. */
  readonly allow?: string;
  readonly deny?: string;
  /** What the one matcher says, in Turtle. */
  readonly matcher: string;
  /** What the matcher of those left out says. */
  readonly but?: string;
  /** Whether it holds for what is in the folder, too. */
  readonly inherited: boolean;
}

/** An access control resource in Turtle without prefixes. @param url The resource that it is for. */
export function acrOf(url: string, policies: readonly WrittenPolicy[]): string {
  const isFolder = url.endsWith("/");
  const about = policies.map(({ name, allow, deny, matcher, but, inherited }) => {
    const reach = inherited && isFolder ? ` ; <${acp.memberAccessControl}> <#${name}-control>` : "";
    return [
      `<> <${acp.accessControl}> <#${name}-control>${reach} .`,
      `<#${name}-control> a <${acp.AccessControl}> ; <${acp.apply}> <#${name}> .`,
      `<#${name}> a <${acp.Policy}>`,
      ...(allow === undefined ? [] : [`    ; <${acp.allow}> ${allow}`]),
      ...(deny === undefined ? [] : [`    ; <${acp.deny}> ${deny}`]),
      `    ; <${acp.anyOf}> [ a <${acp.Matcher}> ; ${matcher} ]`,
      ...(but === undefined ? [] : [`    ; <${acp.noneOf}> [ a <${acp.Matcher}> ; ${but} ]`]),
      "    .",
    ].join("\n");
  });
  return `<> a <${acp.AccessControlResource}> ; <${acp.resource}> <${url}> .\n${about.join("\n")}\n`;
}

/**
 * Where rules are in one language there are none in the other.
 * @throws Problem `not-found` for the address that rules would have in the other.
 */
export function checkLanguage({ name, ending }: Language, { auxiliary, path }: Target): void {
  if (auxiliary === "acl" && !path.endsWith(ending))
    throw new Problem(
      "not-found",
      name === "wac"
        ? "The rules of this server are access lists, at addresses that end in .acl"
        : "The rules of this server are policies, at addresses that end in .acr",
    );
}

const SETTING = ["setting", "access", "language"] as const;

/**
 * The language of a store is the one in which its first pod was made: in the other, every rule would say nothing.
 * @throws OperatorError when it is another than the wanted one.
 */
export async function keepLanguage(store: Store, pods: Pods, wanted: LanguageName): Promise<void> {
  const entry = await store.read(SERVER_POD, (snapshot) => snapshot.get(...SETTING));
  const isFirst = entry === null && (wanted === "wac" || (await pods.list()).length === 0);
  const present = entry ? decodeRecord<LanguageName>(entry) : isFirst ? wanted : "wac";
  if (present !== wanted)
    throw new OperatorError(
      `The rules of the pods here are written in ${present}; FREEHOLD_ACCESS (or --access) cannot be ${wanted}`,
    );
  if (entry === null && wanted === "acp")
    await store.write(SERVER_POD, async (transaction) => transaction.put(...SETTING, encodeRecord(wanted)));
}
