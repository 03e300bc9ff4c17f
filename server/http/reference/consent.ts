/** The doors of consent for the reference: what vendors ask and owners decide, in each pod and by credentials. */
import { anything, choice, count, flag, json, list, object, type SaidOf, type Schema, text } from "./said.ts";

const LWS = "application/lws+json";
const lws = (description: string): Readonly<Record<string, Schema>> => ({
  [LWS]: { type: "object", description },
});
const SEVERAL = lws("A list: items, totalItems, and the next page where there is one");
const VC = { "application/json": anything("A verifiable credential (W3C)") };
const SERVED_RDF: Readonly<Record<string, Schema>> = {
  "text/turtle": text(),
  "application/ld+json": anything("JSON-LD"),
};

export const CONSENT: SaidOf = {
  "get /:pod/.consent/requests": {
    about: "Requests for access: the own ones for a vendor, all for the owner",
    pass: "named",
    answer: SEVERAL,
  },
  "post /:pod/.consent/requests": {
    about:
      "Ask for access: an AccessRequest as the W3C draft on Linked Web Storage has it, signed by the vendor",
    pass: "named",
    body: lws("AccessRequest, with its proof"),
    status: 201,
    answer: lws("The request as it stands; Location names it"),
  },
  "get /:pod/.consent/requests/:id": {
    about: "A request, its state, and the grants that came of it",
    pass: "named",
    answer: lws("AccessRequest"),
  },
  "delete /:pod/.consent/requests/:id": { about: "Ask no more", pass: "named", status: 204, answer: null },
  "post /:pod/.consent/requests/:id/decision": {
    about: "Answer a request",
    pass: "owner",
    body: json(
      object({
        outcome: choice("grant", "deny", "defer"),
        "policies?": list(count(), "Which of the things asked for, by their number"),
        "access?": list(anything("A policy that gives less than was asked for")),
      }),
    ),
    answer: lws("The decision, with its explanation and its grants"),
  },
  "get /:pod/.consent/requests/:id/preview": {
    about: "What would be seen if this were granted",
    pass: "owner",
    answer: json(anything("Places and examples")),
  },
  "post /:pod/.consent/requests/:id/preview": {
    about: "What would be seen if a part of this, or less, were granted",
    pass: "owner",
    body: json(anything("As of a decision")),
    answer: json(anything("Places and examples")),
  },
  "post /:pod/.consent/expectations": {
    about: "Expect a request from somebody, so that it is shown and not only counted",
    pass: "owner",
    body: json(anything("Who, and for what")),
    status: 201,
    answer: json(anything("The expectation")),
  },
  "get /:pod/.consent/decisions": {
    about: "What was decided, by whom or by which preference",
    pass: "owner",
    answer: json(anything("Decisions, the newest first")),
  },
  "post /:pod/.consent/decisions/:id/undo": {
    about: "Take a decision back",
    pass: "owner",
    body: json(object({})),
    answer: json(anything("What stands now")),
  },
  "get /:pod/.consent/grants": {
    about: "Grants: the own ones for a vendor, all for the owner",
    pass: "named",
    query: { status: choice("Active", "Paused", "Revoked", "Expired", "Exhausted", "Superseded") },
    answer: SEVERAL,
  },
  "post /:pod/.consent/grants": {
    about: "Give access unasked",
    pass: "owner",
    body: lws(
      "AccessGrant: one assignee, policies each with an end; supersedes may name a grant that ends with it",
    ),
    status: 201,
    answer: lws("The grant; Location names it"),
  },
  "post /:pod/.consent/preview": {
    about: "What somebody would see by a grant that is not yet given",
    pass: "owner",
    body: lws("AccessGrant"),
    answer: json(anything("Places and examples")),
  },
  "get /:pod/.consent/grants/:id": {
    about: "A grant, its state and what was used of it",
    pass: "named",
    answer: lws("AccessGrant"),
  },
  "delete /:pod/.consent/grants/:id": {
    about: "Take back a grant, or give it back",
    pass: "named",
    status: 204,
    answer: null,
  },
  "put /:pod/.consent/grants/:id/state": {
    about: "Let a grant rest, go on, or end",
    pass: "owner",
    body: json(object({ state: choice("Active", "Paused", "Revoked") })),
    answer: lws("AccessGrant"),
  },
  "get /:pod/.consent/grants/:id/receipts": {
    about: "Receipts of a grant: of the consent, and of each use, numbered without a gap",
    pass: "named",
    answer: json(anything("Receipts")),
  },
  "get /:pod/.consent/receipts/:id": {
    about: "A receipt, signed by the server (ISO/IEC TS 27560)",
    pass: "named",
    answer: { "application/ld+json": anything("Receipt") },
  },
  "put /:pod/.consent/receipts/:id/countersignature": {
    about: "Sign a receipt, as its vendor",
    pass: "named",
    body: json(anything("The proof")),
    answer: json(anything("The receipt, signed by both")),
  },
  "get /:pod/.consent/preferences": {
    about: "What is answered by itself, and what is not",
    pass: "owner",
    answer: json(anything("Preferences")),
  },
  "put /:pod/.consent/preferences": {
    about: "Replace the preferences",
    pass: "owner",
    body: json(anything("Preferences")),
    answer: json(anything("What holds from now on")),
  },
  "post /:pod/.consent/preferences/trial": {
    about: "What preferences would have answered",
    pass: "owner",
    body: json(anything("Preferences, and what is asked")),
    answer: json(anything("The answers, and why")),
  },
  "get /:pod/.consent/parties": {
    about: "With whom the owner has to do: whoever asked for something or was given something",
    pass: "owner",
    answer: json(anything("Parties")),
  },
  "post /:pod/.consent/campaigns": {
    about: "Whether the owner may be contacted now, by whoever was allowed to make offers; a yes is counted",
    pass: "named",
    body: json(
      object({
        channel: choice("email", "text", "phone", "app", "post", "person"),
        "place?": text(undefined, 2_048),
        "topic?": text(undefined, 2_048),
      }),
    ),
    answer: json(object({ allowed: flag(), because: { type: ["string", "null"] } })),
  },
  "get /:pod/.consent/honey": {
    about: "Documents that are laid out for thieves",
    pass: "owner",
    answer: json(anything("Their places")),
  },
  "put /:pod/.consent/honey": {
    about: "Lay out documents for thieves",
    pass: "owner",
    body: json(anything("Their places")),
    answer: json(anything("Their places")),
  },
  "get /:pod/.consent/attention": {
    about: "What somebody should look at",
    pass: "owner",
    answer: json(anything("Remarks")),
  },
  "delete /:pod/.consent/attention/:id": {
    about: "It was looked at",
    pass: "owner",
    status: 204,
    answer: null,
  },
  "get /:pod/.consent/breach": {
    about: "What a vendor had seen by a time, for telling of a breach (GDPR, article 34)",
    pass: "owner",
    query: { from: text("A time"), to: text("A time"), vendor: text("WebID") },
    answer: json(anything("What was read, by whom")),
  },
  "get /:pod/.consent/former-hosts": {
    about: "The servers at which the pod was before, whose receipts still count",
    pass: "named",
    answer: json(anything("Their keys")),
  },
  "put /:pod/.consent/keys/:id": {
    about: "Publish a signing key in the own WebID document",
    pass: "owner",
    status: 201,
    body: json(anything("Multikey")),
    answer: json(anything("The key's address")),
  },
  "delete /:pod/.consent/keys/:id": {
    about: "Withdraw a signing key",
    pass: "owner",
    status: 204,
    answer: null,
  },
  "get /:pod/.views/": {
    about: "Views: for the owner all, for a vendor those that it may read",
    pass: "named",
    answer: json(anything("Views")),
  },
  "get /:pod/.views/:id": { about: "What a view says now", pass: "named", answer: SERVED_RDF },
  "put /:pod/.views/:id": {
    about: "Define a view: less than the documents say, made by a CONSTRUCT",
    pass: "owner",
    body: { "application/sparql-query": text(), ...json(anything("The definition")) },
    status: 201,
    answer: json(anything("The definition")),
  },
  "delete /:pod/.views/:id": {
    about: "Delete a view's definition",
    pass: "owner",
    status: 204,
    answer: null,
  },
  "get /.account/request-access": {
    about: "The page on which somebody asks an owner to open what is closed",
    pass: "session",
    query: { for: text("What is closed") },
    answer: { "text/html": text() },
  },
  "post /.account/request-access": {
    about: "Ask an owner to open what is closed",
    pass: "session",
    body: { "application/x-www-form-urlencoded": anything("As the page sends it") },
    answer: { "text/html": text() },
  },
  "get /.well-known/uma2-configuration": {
    about: "Where a credential is exchanged for a token (UMA 2.0)",
    pass: "everybody",
    answer: json(anything("Configuration")),
  },
  "get /.well-known/vc-configuration": {
    about: "Where credentials are issued, checked and found",
    pass: "everybody",
    answer: { "application/ld+json": anything("Configuration") },
  },
  "get /.vc/.well-known/vc-configuration": {
    about: "The same, below the issuer's address",
    pass: "everybody",
    answer: { "application/ld+json": anything("Configuration") },
  },
  "post /.vc/issue": {
    about: "Make a credential of a request, a grant or a denial",
    pass: "named",
    body: VC,
    status: 201,
    answer: VC,
  },
  "post /.vc/status": {
    about: "Change a credential's status: revoke it",
    pass: "named",
    body: json(anything("credentialId, credentialStatus")),
    answer: VC,
  },
  "post /.vc/derive": {
    about: "Find credentials like an example",
    pass: "named",
    body: VC,
    answer: json(anything("A presentation with what was found")),
  },
  "post /.vc/verify": {
    about: "Whether a credential is good",
    pass: "everybody",
    body: json(object({ verifiableCredential: anything("It") })),
    answer: json(object({ checks: list(text()), warnings: list(text()), errors: list(text()) })),
  },
  "post /.vc/token": {
    about: "Exchange a credential for a bearer token that stands for one grant, for five minutes",
    pass: "named",
    body: {
      "application/x-www-form-urlencoded": object({
        grant_type: choice("urn:ietf:params:oauth:grant-type:uma-ticket"),
        claim_token: text("A presentation with one credential, in Base64"),
        "claim_token_format?": text(),
        "ticket?": text(),
      }),
    },
    answer: json(
      object({ access_token: text(), token_type: choice("Bearer"), expires_in: count("Seconds") }),
    ),
  },
  "get /.vc/query": {
    about: "Search credentials that are one's own, page by page",
    pass: "named",
    query: Object.fromEntries(
      ["fromAgent", "toAgent", "purpose", "resource", "type", "status", "issuedWithin", "revokedWithin"]
        .map((name) => [name, text()])
        .concat([
          ["page", count()],
          ["pageSize", count()],
        ]),
    ) as Readonly<Record<string, Schema>>,
    answer: json(object({ items: list(anything("A credential")) })),
  },
  "get /.vc/:pod/:kind/:ref": { about: "A credential", pass: "named", answer: VC },
};
