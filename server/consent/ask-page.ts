/**
 * "Request access", for people: whoever meets a closed door in a browser and has an account here asks with a form. It becomes
 * a request like any other, in the name of the account; nobody signs it, for the person stands here.
 */
import { labelOf } from "@freehold/vocab";
import { readBody } from "../body.ts";
import { Problem } from "../errors.ts";
import { escapeHtml } from "../html.ts";
import { parseTarget, type Target } from "../iri.ts";
import { type Agent, type Door, PUBLIC_AGENT, type Result } from "../operation.ts";
import { mediaTypeOf } from "../rdf/media.ts";
import { requireSameOrigin } from "../same-origin.ts";
import { POD_NAME, type Pod, type Pods } from "../store/pods.ts";
import type { Policy } from "./model.ts";
import type { Requests } from "./requests-port.ts";
import { CONTEXTS, isLine, type Json, writeAccess } from "./shared.ts";
import { addressedTarget, completePolicy, completeTerms } from "./wire.ts";

export interface AskPageDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly pods: Pick<Pods, "find">;
  readonly now: () => Date;
  readonly requests: Requests;
  /** Who is signed in on this server's own pages. */
  readonly sessionOf: (
    headers: Readonly<Record<string, string | undefined>>,
  ) => Promise<{ readonly webid: NonNullable<Agent["webid"]> } | null>;
  readonly isOwnAddress: (path: string) => boolean;
  /** A page of ours. @param body HTML, without script. */
  readonly page: (title: string, body: string, status?: number) => Result;
}

const ASK_PATH = "/.account/request-access";
const FORM = "application/x-www-form-urlencoded";
const FORM_BYTES_MAX = 4_096;
const REASON_LENGTH_MAX = 140;
const DAY = 86_400_000;
const DPV = "https://w3id.org/dpv#";
/** What people mostly want of each other; companies sign and send their own. */
const PURPOSES = ["Personalisation", "CommunicationManagement", "ServiceProvision", "AcademicResearch"].map(
  (name) => `${DPV}${name}`,
);
const DAYS: readonly (readonly [days: number, words: string])[] = [
  [7, "A week"],
  [30, "A month"],
  [365, "A year"],
];

/** The place that somebody wants to see. @throws Problem `not-found` for what is no content of a pod. */
function placeOf(text: string, isOwn: (path: string) => boolean): Target {
  let target: Target;
  try {
    target = parseTarget(text.split(/[?#]/, 1)[0] ?? "");
  } catch (cause) {
    throw new Problem("not-found", undefined, { cause });
  }
  // Rules are nobody's to ask for; whoever is refused them asks for what they are about.
  const subject = parseTarget(target.subject);
  if (!POD_NAME.test(subject.pod) || isOwn(subject.path)) throw new Problem("not-found");
  return subject;
}

export function askPageDoors(
  deps: AskPageDeps,
): readonly { readonly verb: "get" | "post"; readonly path: string; readonly door: Door }[] {
  const { baseUrl, pods, now, requests, page } = deps;

  async function podAt({ pod }: Target): Promise<Pod> {
    const found = await pods.find(pod);
    if (!found || found.erased !== undefined || found.movedTo !== undefined) throw new Problem("not-found");
    return found;
  }

  const show: Door = async ({ url, headers }) => {
    const place = placeOf(url.searchParams.get("for") ?? "", deps.isOwnAddress);
    const address = escapeHtml(`${baseUrl}${place.path.slice(1)}`);
    const session = await deps.sessionOf(headers);
    if (!session)
      return page(
        "Request access",
        `<p>Sign in first, so that the owner knows who asks. Then open this page again.</p>
<p class="soft">Your account is elsewhere? Let the app that you use ask for <strong>${address}</strong>.</p>
<nav><a class="main" href="/.account/login">Sign in</a></nav>`,
      );
    const options = (values: readonly (readonly [string, string])[]): string =>
      values
        .map(([value, words]) => `<option value="${escapeHtml(value)}">${escapeHtml(words)}</option>`)
        .join("");
    return page(
      "Request access",
      `<p>You ask the owner of this pod to see <strong>${address}</strong>. They see your name, and decide.</p>
<form method="post" action="${ASK_PATH}">
<input type="hidden" name="for" value="${escapeHtml(place.path)}">
<p><label>What for?<br><select name="purpose">${options(PURPOSES.map((one) => [one, labelOf(one)]))}</select></label></p>
<p><label>In your own words<br><input name="reason" required maxlength="${REASON_LENGTH_MAX}" autocomplete="off"></label></p>
<p><label>For how long?<br><select name="days">${options(DAYS.map(([days, words]) => [String(days), words]))}</select></label></p>
<p><button>Ask</button></p>
</form>
<p class="soft">${escapeHtml(session.webid)}</p>`,
    );
  };

  function read(form: URLSearchParams): {
    readonly purpose: string;
    readonly reason: string;
    readonly days: number;
  } {
    const purpose = form.get("purpose") ?? "";
    const reason = (form.get("reason") ?? "").trim();
    const days = Number(form.get("days"));
    if (
      !PURPOSES.includes(purpose) ||
      !isLine(reason, REASON_LENGTH_MAX) ||
      !DAYS.some(([one]) => one === days)
    )
      throw new Problem("input-invalid", "Say in one line what it is for");
    return { purpose, reason, days };
  }

  const ask: Door = async (request) => {
    requireSameOrigin(request, baseUrl);
    const session = await deps.sessionOf(request.headers);
    if (!session) throw new Problem("login-required");
    if (mediaTypeOf(request.headers["content-type"]) !== FORM)
      throw new Problem("unsupported-media-type", `Send ${FORM}`);
    const form = new URLSearchParams(new TextDecoder().decode(await readBody(request.body, FORM_BYTES_MAX)));
    const place = placeOf(form.get("for") ?? "", deps.isOwnAddress);
    const pod = await podAt(place);
    if (session.webid === pod.owner)
      throw new Problem("forbidden", "It is your own pod: you have access to it");
    requests.pace(pod, session.webid, request.ip);
    const { purpose, reason, days } = read(form);
    const at = now().getTime();
    const root = `/${pod.name}/`;
    const kind = place.path === root ? "storage" : place.isContainer ? "container" : "resource";
    const policy: Policy = completePolicy(
      {
        actions: ["read"],
        target: { kind, values: [place.path] },
        necessity: "required",
        clients: null,
        mediaTypes: null,
        types: null,
        purposes: [purpose],
        notBefore: null,
        notAfter: at + days * DAY,
        tier: "raw",
        mode: "view",
        categories: [],
        fields: null,
        dataFrom: null,
        dataTo: null,
        dataLife: null,
        frequency: null,
        queriesMax: null,
      },
      at,
    );
    const terms = completeTerms(
      {
        assignee: null,
        controller: null,
        legalBasis: null,
        recipients: null,
        locations: null,
        automation: null,
        decidesAboutPerson: null,
        notice: null,
        benefit: { en: reason },
        price: null,
        terms: null,
        inbox: null,
      },
      session.webid,
    );
    const document: Json = {
      ...writeAccess("AccessRequest", {
        storage: `${baseUrl}${pod.name}/`,
        issued: at,
        terms: { ...terms, notice: null },
        policies: [{ ...policy, target: addressedTarget(policy.target, baseUrl, pod) }],
      }),
      "@context": CONTEXTS,
    };
    const wish = { terms, policies: [policy], issued: at, document: JSON.stringify(document) };
    const agent = { ...PUBLIC_AGENT, webid: session.webid, client: `${baseUrl}.account/` };
    await requests.submit(pod, agent, wish, null, request.id);
    return page(
      "You have asked",
      `<p>The owner finds your question in their pod, and decides. When they said yes, what you wanted to see opens at the same address.</p>
<nav><a class="main" href="/">Go to the start page</a></nav>`,
    );
  };

  return [
    { verb: "get", path: ASK_PATH, door: show },
    { verb: "post", path: ASK_PATH, door: ask },
  ];
}
