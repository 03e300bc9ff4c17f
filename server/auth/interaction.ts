/** Login and consent, as JSON for the page at `/.account/consent`: who asks for what, and yes or no. */
import type { Grant, Interaction, Provider as OidcProvider } from "oidc-provider";
import { json, readJson } from "../body.ts";
import { Problem, type ProblemDetail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Door, DoorRequest } from "../operation.ts";
import { parseReach, type Reach, USUAL } from "../reach.ts";
import { requireSameOrigin } from "../same-origin.ts";
import type { AccountSession, Accounts } from "./accounts.ts";
import type { AppFacts, ProviderState } from "./adapter.ts";
import { SCOPES } from "./clients.ts";

function requireJson({ headers }: Pick<DoorRequest, "headers">): void {
  if (!/^application\/json\s*(?:;|$)/i.test(headers["content-type"] ?? ""))
    throw new Problem("unsupported-media-type", "Send application/json");
}

/** Value of a cookie; of two with one name, the first. */
function cookieOf(headers: DoorRequest["headers"], name: string): string | null {
  for (const pair of (headers["cookie"] ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name) return value ?? "";
  }
  return null;
}

export interface InteractionDependencies {
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly accounts: Accounts;
  readonly provider: () => Promise<OidcProvider>;
  readonly noteConsent: ProviderState["noteConsent"];
  readonly reachOf: ProviderState["reachOf"];
  readonly grantIdFor: ProviderState["grantIdFor"];
  /** The resource that every access token is for. */
  readonly resource: string;
}

const NAME_LENGTH_MAX = 100; // Fits on a line.

/** What an application calls itself, as one plain line: no sign in it can turn around or hide what stands beside it. */
function nameOf(clientName: unknown): string | null {
  const name = readText(clientName)
    ?.replaceAll(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  return name ? name.slice(0, NAME_LENGTH_MAX).toWellFormed() : null;
}

/** What the page shows. */
interface Question {
  readonly client: {
    readonly id: string;
    readonly name: string | null;
    readonly uri: string | null;
    /** Origin of the document in which it describes itself; null when it registered itself, and nobody vouches for it. */
    readonly describedBy: string | null;
    /** Pages of its own, about what it does with data and on what terms: of the same origin as its document. */
    readonly policy: string | null;
    readonly terms: string | null;
  };
  readonly webid: string | null;
  readonly prompt: string;
  readonly scopes: readonly string[];
  readonly redirectTo: string | null;
  /** What it may do already, when it was let in before. */
  readonly reach: Reach | null;
}

const readText = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** What a yes gives: as chosen, or the usual when nothing was said. @throws Problem `input-invalid` */
function reachIn({ folders, modes }: Readonly<Record<string, unknown>>): Reach {
  if (folders === undefined && modes === undefined) return USUAL;
  const errors: ProblemDetail[] = [];
  const reach = parseReach(folders, modes, (fault) => errors.push(fault));
  if (errors.length > 0)
    throw new Problem("input-invalid", errors.map(({ detail }) => detail).join(". "), { errors });
  return reach;
}

/** An address that the client's document may show: on the document's own host, by https. */
function pageOf(address: unknown, describedBy: string | null): string | null {
  const text = readText(address);
  return text !== null && describedBy !== null && URL.canParse(text) && new URL(text).origin === describedBy
    ? new URL(text).href
    : null;
}

/**
 * Both doors want the cookie of the browser that the provider sent here; a yes also wants an account's session.
 */
export function createInteractionDoors({
  baseUrl,
  limits,
  accounts,
  provider,
  noteConsent,
  reachOf,
  grantIdFor,
  resource,
}: InteractionDependencies): {
  readonly question: Door;
  readonly answer: Door;
} {
  /** The browser that was sent here has the cookie; the address alone opens nothing. */
  async function find(oidc: OidcProvider, { params, headers }: DoorRequest): Promise<Interaction> {
    const uid = params["uid"] ?? "";
    const isTheirs = uid !== "" && cookieOf(headers, oidc.cookieName("interaction")) === uid;
    const interaction = isTheirs ? await oidc.Interaction.find(uid) : undefined;
    if (!interaction)
      throw new Problem(
        "not-found",
        "This login has ended or belongs to another browser. Start again from the application",
      );
    return interaction;
  }

  async function saveGrant(
    oidc: OidcProvider,
    interaction: Interaction,
    { accountId }: AccountSession,
  ): Promise<string> {
    const clientId = String(interaction.params["client_id"]);
    // One for each person and app, however many browsers: taking it back takes back all.
    const known = await grantIdFor(accountId, clientId);
    const existing = known === null ? undefined : await oidc.Grant.find(known);
    const grant: Grant = existing ?? new oidc.Grant({ accountId, clientId });
    const asked = (readText(interaction.params["scope"]) ?? "").split(" ");
    grant.addOIDCScope(asked.filter((scope) => SCOPES.includes(scope)).join(" "));
    grant.addResourceScope(resource, "webid");
    return grant.save();
  }

  async function describeApp(oidc: OidcProvider, { params }: Interaction): Promise<AppFacts> {
    const client = await oidc.Client.find(String(params["client_id"]));
    const places = [readText(params["redirect_uri"]), readText(client?.clientUri), client?.clientId];
    const web = places.find((place) => typeof place === "string" && /^https?:/.test(place));
    return { name: nameOf(client?.clientName), address: web ? new URL(web).origin : null };
  }

  return {
    async question(request) {
      const oidc = await provider();
      const interaction = await find(oidc, request);
      const client = await oidc.Client.find(String(interaction.params["client_id"]));
      if (!client) throw new Problem("not-found", "The application is no longer known");
      const { clientId } = client;
      const describedBy = /^https?:/.test(clientId) ? new URL(clientId).origin : null;
      const webid = (await accounts.sessionOf(request.headers))?.webid ?? null;
      const question: Question = {
        client: {
          id: clientId,
          name: nameOf(client.clientName),
          uri: readText(client.clientUri),
          describedBy,
          policy: pageOf(client["policyUri"], describedBy),
          terms: pageOf(client["tosUri"], describedBy),
        },
        webid,
        reach: webid && (await reachOf(webid, clientId)),
        prompt: interaction.prompt.name,
        scopes: (readText(interaction.params["scope"]) ?? "").split(" ").filter(Boolean),
        redirectTo: readText(interaction.params["redirect_uri"]),
      };
      return json(200, question);
    },
    async answer(request) {
      requireSameOrigin(request, baseUrl);
      requireJson(request);
      const said = await readJson(request.body, limits.accountBodyBytesMax);
      const { allow } = said;
      if (typeof allow !== "boolean")
        throw new Problem("input-invalid", "Say allow: true or false", {
          errors: [{ detail: "must be true or false", at: "/allow" }],
        });
      const oidc = await provider();
      const interaction = await find(oidc, request);
      const clientId = String(interaction.params["client_id"]);
      if (allow) {
        const reach = reachIn(said);
        const session = await accounts.sessionOf(request.headers);
        if (!session) throw new Problem("login-required");
        const grantId = await saveGrant(oidc, interaction, session);
        await noteConsent({ ...session, clientId, reach, app: await describeApp(oidc, interaction) });
        interaction.result = { login: { accountId: session.accountId }, consent: { grantId } };
      } else {
        interaction.result = { error: "access_denied", error_description: "The person said no" };
      }
      await interaction.save(interaction.exp - Math.floor(Date.now() / 1_000));
      return json(200, { location: interaction.returnTo });
    },
  };
}
