/**
 * A second evaluator of Access Control Policy, written from the pseudocode of the specification and sharing no code with
 * the server: Turtle in, the granted modes out. Slow and plain.
 * https://solid.github.io/authorization-panel/acp-specification/
 */
import { Parser } from "n3";

const ACP = "http://www.w3.org/ns/solid/acp#";
const ACL = "http://www.w3.org/ns/auth/acl#";

type Triple = readonly [subject: string, predicate: string, object: string];

/** Section "Context". */
export interface AcpContext {
  readonly agent: string | null;
  readonly client: string | null;
  readonly issuer: string | null;
  readonly owners: readonly (string | null)[];
  readonly creators: readonly (string | null)[];
  readonly vcs: readonly string[];
}

export interface AcpWorld {
  /** URL of an access control resource (`….acr`) → Turtle. */
  readonly documents: Readonly<Record<string, string>>;
  /** URL of the pod's root. */
  readonly root: string;
}

const known = new Map<string, readonly Triple[]>();

function triplesOf({ documents }: AcpWorld, url: string): readonly Triple[] {
  const text = Object.hasOwn(documents, url) ? documents[url] : undefined;
  if (text === undefined) return [];
  const key = `${url}\n${text}`;
  const found = known.get(key);
  if (found) return found;
  const triples = new Parser({ baseIRI: url, format: "text/turtle" })
    .parse(text)
    .map(({ subject, predicate, object }): Triple => {
      const spell = (term: typeof object) =>
        term.termType === "NamedNode"
          ? term.value
          : term.termType === "BlankNode"
            ? `_:${term.value}`
            : `"${term.value}`;
      return [spell(subject), predicate.value, spell(object)];
    });
  known.set(key, triples);
  return triples;
}

const objects = (triples: readonly Triple[], subject: string, name: string): string[] =>
  triples.filter(([s, p]) => s === subject && p === `${ACP}${name}`).map(([, , object]) => object);

interface Acr {
  readonly triples: readonly Triple[];
  readonly node: string;
}

/** Section "Access Control Resource": those that are about the resource. */
function acrsOf(world: AcpWorld, resource: string): Acr[] {
  const triples = triplesOf(world, `${resource}.acr`);
  return triples
    .filter(([, predicate, object]) => predicate === `${ACP}resource` && object === resource)
    .map(([node]) => ({ triples, node }));
}

/** From the resource's container up to the storage. */
function ancestorsOf(world: AcpWorld, resource: string): string[] {
  const ancestors: string[] = [];
  for (let url = resource; url !== world.root; ) {
    url = url.replace(/[^/]+\/?$/, "");
    ancestors.push(url);
  }
  return ancestors;
}

type PolicyNode = Acr;

function applied({ triples, node }: Acr, property: "accessControl" | "memberAccessControl"): PolicyNode[] {
  return objects(triples, node, property)
    .flatMap((control) => objects(triples, control, "apply"))
    .map((policy) => ({ triples, node: policy }));
}

/** Section "Effective Policies". */
function gatherEffectivePolicies(world: AcpWorld, resource: string): PolicyNode[] {
  return [
    ...acrsOf(world, resource).flatMap((acr) => applied(acr, "accessControl")),
    ...ancestorsOf(world, resource)
      .flatMap((ancestor) => acrsOf(world, ancestor))
      .flatMap((acr) => applied(acr, "memberAccessControl")),
  ];
}

function agentMatches(agent: string, context: AcpContext): boolean {
  if (agent === `${ACP}PublicAgent`) return true;
  if (agent === `${ACP}AuthenticatedAgent` && context.agent !== null) return true;
  if (agent === `${ACP}CreatorAgent` && context.agent !== null && context.creators.includes(context.agent))
    return true;
  if (agent === `${ACP}OwnerAgent` && context.agent !== null && context.owners.includes(context.agent))
    return true;
  return agent === context.agent;
}

function partyMatches(value: string, word: "Client" | "Issuer", party: string | null): boolean {
  if (value === `${ACP}Public${word}`) return true;
  if (value === `${ACP}Authenticated${word}` && party !== null) return true;
  return value === party;
}

/** Section "Satisfied Matcher". */
function isSatisfiedMatcher(triples: readonly Triple[], matcher: string, context: AcpContext): boolean {
  const agents = objects(triples, matcher, "agent");
  const clients = objects(triples, matcher, "client");
  const issuers = objects(triples, matcher, "issuer");
  const vcs = objects(triples, matcher, "vc");
  if (agents.length === 0 && clients.length === 0 && issuers.length === 0 && vcs.length === 0) return false;
  if (agents.length !== 0 && !agents.some((agent) => agentMatches(agent, context))) return false;
  if (clients.length !== 0 && !clients.some((client) => partyMatches(client, "Client", context.client)))
    return false;
  if (issuers.length !== 0 && !issuers.some((issuer) => partyMatches(issuer, "Issuer", context.issuer)))
    return false;
  return vcs.length === 0 || vcs.some((vc) => context.vcs.includes(vc));
}

/** Section "Satisfied Policy". */
function isSatisfiedPolicy({ triples, node }: PolicyNode, context: AcpContext): boolean {
  const matchers = (name: string) => objects(triples, node, name);
  for (const matcher of matchers("noneOf")) if (isSatisfiedMatcher(triples, matcher, context)) return false;
  for (const matcher of matchers("allOf")) if (!isSatisfiedMatcher(triples, matcher, context)) return false;
  for (const matcher of matchers("anyOf")) if (isSatisfiedMatcher(triples, matcher, context)) return true;
  return matchers("allOf").length !== 0 && matchers("anyOf").length === 0;
}

/** Section "Granted Access Modes": `Read`, `Write` and so on, whatever they are called. */
export function resolveAccess(world: AcpWorld, resource: string, context: AcpContext): ReadonlySet<string> {
  const allowed = new Set<string>();
  const denied = new Set<string>();
  for (const policy of gatherEffectivePolicies(world, resource)) {
    if (!isSatisfiedPolicy(policy, context)) continue;
    for (const mode of objects(policy.triples, policy.node, "allow")) allowed.add(mode);
    for (const mode of objects(policy.triples, policy.node, "deny")) denied.add(mode);
  }
  for (const mode of denied) allowed.delete(mode);
  return new Set([...allowed].map((mode) => (mode.startsWith(ACL) ? mode.slice(ACL.length) : mode)));
}

/**
 * Whether an operation that needs the mode is authorized: Append is a kind of Write (WAC, "Access Mode Classes"); rules
 * need Control of what they are about; the owner has Control whatever is written (WAC, "Loss of Control Mitigation").
 */
export function acpOracle(
  world: AcpWorld,
  url: string,
  mode: "read" | "append" | "write" | "control",
  context: AcpContext,
): boolean {
  const isRules = url.endsWith(".acr");
  const resource = isRules ? url.slice(0, -4) : url.endsWith(".meta") ? url.slice(0, -5) : url;
  const wanted = isRules ? "control" : mode;
  if (wanted === "control" && context.agent !== null && context.owners.includes(context.agent)) return true;
  const granted = resolveAccess(world, resource, context);
  const name = `${wanted[0]?.toUpperCase()}${wanted.slice(1)}`;
  return granted.has(name) || (name === "Append" && granted.has("Write"));
}
