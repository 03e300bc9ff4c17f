/** For the reference: queries, search, streams, notifications and journal of a pod; and the server's own doors. */
import { anything, choice, count, json, list, object, type SaidOf, type Schema, text } from "./said.ts";

const LWS = "application/lws+json";
const lws = (description: string): Readonly<Record<string, Schema>> => ({
  [LWS]: { type: "object", description },
});
const RESULTS: Readonly<Record<string, Schema>> = {
  "application/sparql-results+json": anything("SPARQL results: SELECT and ASK"),
  "text/turtle": text("CONSTRUCT and DESCRIBE; other forms of RDF, too"),
};
const SPARQL: Readonly<Record<string, Schema>> = {
  "application/sparql-query": text("The query"),
  "application/x-www-form-urlencoded": object({ query: text() }),
};
const SERVED_RDF: Readonly<Record<string, Schema>> = {
  "text/turtle": text(),
  "application/ld+json": anything("JSON-LD"),
};

export const ASKING: SaidOf = {
  "get /:pod/.well-known/solid": {
    about: "The storage's description: its services, in RDF or as Linked Web Storage has it",
    pass: "everybody",
    answer: { ...SERVED_RDF, [LWS]: anything("Storage description") },
  },
  "get /:pod/sparql": {
    about: "SPARQL 1.1 query over what the asker may read",
    pass: "everybody",
    query: { query: text(), "default-graph-uri": text(), "named-graph-uri": text() },
    answer: RESULTS,
  },
  "post /:pod/sparql": {
    about: "SPARQL 1.1 query over what the asker may read",
    pass: "everybody",
    body: SPARQL,
    answer: RESULTS,
  },
  "get /:pod/sparql-update": {
    about: "That updates are sent by POST",
    pass: "everybody",
    status: 200,
    answer: null,
  },
  "post /:pod/sparql-update": {
    about: "SPARQL 1.1 update: graphs are documents, all in one commit",
    pass: "everybody",
    body: { "application/sparql-update": text() },
    status: 204,
    answer: null,
  },
  "get /.query/sparql": {
    about: "SPARQL query over the readable documents of many pods of this server",
    pass: "everybody",
    query: { query: text() },
    answer: RESULTS,
  },
  "post /.query/sparql": {
    about: "SPARQL query over the readable documents of many pods of this server",
    pass: "everybody",
    body: SPARQL,
    answer: RESULTS,
  },
  "get /:pod/search": {
    about: "Full-text search over what the asker may read: hits and facets",
    pass: "everybody",
    query: {
      q: text("Words"),
      type: text("A class"),
      folder: text("A folder"),
      year: text(),
      limit: count("1 to 100"),
      offset: count(),
    },
    answer: json(anything("Hits, facets, next page")),
  },
  "get /:pod/.well-known/lws/types": {
    about: "Which types of things are where, of what the asker may read",
    pass: "everybody",
    answer: { [LWS]: anything("Type index") },
  },
  "get /:pod/.well-known/lws/search": {
    about: "Documents by type",
    pass: "everybody",
    query: { type: text("A class") },
    answer: { [LWS]: anything("A page") },
  },
  "post /:pod/.well-known/lws/search": {
    about: "Documents by type, for many types",
    pass: "everybody",
    body: lws("Types"),
    answer: { [LWS]: anything("A page") },
  },
  "get /:pod/.journal{/{*page}}": {
    about: "The pod's journal as RDF, page by page",
    pass: "owner",
    answer: SERVED_RDF,
  },
  "get /:pod/.series/{*folder}": {
    about: "A stream of observations: as Linked Data Event Stream, as rows, or summed up",
    pass: "everybody",
    query: {
      from: text("A time"),
      to: text("A time"),
      every: text("Summed up by: PT15M, PT1H, P1D, P1M …"),
      sensor: text(),
      property: text(),
      month: text(),
    },
    answer: { ...SERVED_RDF, "application/json": anything("Rows"), "text/csv": text() },
  },
  "post /:pod/.series/{*folder}": {
    about: "Append observations, in the order of time",
    pass: "named",
    body: { "application/json": anything("Observations"), "text/turtle": text(), "text/csv": text() },
    status: 201,
    answer: null,
  },
  "get /:pod/.notifications/": {
    about: "How changes can be followed here",
    pass: "everybody",
    answer: SERVED_RDF,
  },
  "get /:pod/.notifications/:service": {
    about: "One kind of subscription (Solid Notifications Protocol)",
    pass: "everybody",
    answer: SERVED_RDF,
  },
  "post /:pod/.notifications/:service": {
    about: "Subscribe to changes of a topic",
    pass: "everybody",
    body: { "application/ld+json": anything("type, topic, and what the channel needs") },
    answer: { "application/ld+json": anything("The channel: receiveFrom, or sendTo") },
  },
  "get /:pod/.notifications/channels/:id": {
    about: "A channel",
    pass: "named",
    answer: { "application/ld+json": anything("The channel") },
  },
  "delete /:pod/.notifications/channels/:id": {
    about: "End a channel",
    pass: "named",
    status: 204,
    answer: null,
  },
  "get /:pod/.notifications/channels/:id/:secret": {
    about: "Receive: a WebSocket, server-sent events, or a stream",
    pass: "everybody",
    answer: { "text/event-stream": text() },
  },
  "get /.notifications/sender": {
    about: "Whose webhooks these are: the keys that sign them",
    pass: "everybody",
    answer: { "application/ld+json": anything("WebID document") },
  },
  "post /.notifications/gateway": {
    about: "Which protocols can be used for a topic (an earlier draft, for clients that know it)",
    pass: "everybody",
    body: json(anything("protocols")),
    answer: json(anything("endpoint, protocol")),
  },
  "post /.notifications/subscription": {
    about: "Subscribe as the earlier draft has it",
    pass: "everybody",
    body: json(object({ topic: text() })),
    answer: json(anything("endpoint")),
  },
};

export const SERVER: SaidOf = {
  "get /healthz": { about: "It lives", pass: "everybody", answer: json(object({ status: choice("ok") })) },
  "get /readyz": {
    about: "It can do its work: the store answers",
    pass: "everybody",
    answer: json(object({ status: choice("ready") })),
  },
  "get /version": {
    about: "Which version it is",
    pass: "everybody",
    answer: json(object({ name: choice("freehold"), version: text() })),
  },
  "get /.openapi.json": { about: "This document", pass: "everybody", answer: json(anything("OpenAPI 3.1")) },
  "get /.api": { about: "This document as a page", pass: "everybody", answer: { "text/html": text() } },
  "get /llms.txt": {
    about: "A short map of all of this, for language models and people in a hurry",
    pass: "everybody",
    answer: { "text/plain": text() },
  },
  "get /ns/problems": {
    about: "All refusals there are: where the type of every problem leads",
    pass: "everybody",
    answer: { ...json(object({ problems: list(anything("A problem")) })), "text/html": text() },
  },
  "get /ns/problems/:code": {
    about: "One refusal: what it means, and what to do",
    pass: "everybody",
    answer: {
      ...json(
        object({ type: text(), code: text(), status: count(), title: text(), means: text(), next: text() }),
      ),
      "text/html": text(),
    },
  },
  "get /ns/shapes/:domain": {
    about: "Shapes that documents can be held to (SHACL)",
    pass: "everybody",
    answer: SERVED_RDF,
  },
  "get /.well-known/solid": {
    about: "What this server is and can do",
    pass: "everybody",
    answer: SERVED_RDF,
  },
  "get /.well-known/oauth-protected-resource": {
    about: "Which tokens count here (RFC 9728)",
    pass: "everybody",
    answer: json(anything("Metadata")),
  },
  "get /.well-known/oauth-protected-resource/{*path}": {
    about: "The same, for one resource",
    pass: "everybody",
    answer: json(anything("Metadata")),
  },
  "get /.well-known/freehold/journal-key": {
    about: "Keys that sign the heads of journals",
    pass: "everybody",
    answer: { "application/jwk-set+json": anything("JWK set") },
  },
  "get /.well-known/freehold/erasure-key": {
    about: "Keys that sign receipts of erasure",
    pass: "everybody",
    answer: { "application/jwk-set+json": anything("JWK set") },
  },
  "get /.well-known/freehold/consent-key": {
    about: "Keys that sign receipts of consent",
    pass: "everybody",
    answer: json(anything("Keys")),
  },
  "get /.well-known/dcann/:id": {
    about: "The proof that the storage of a passport is here",
    pass: "everybody",
    answer: json(anything("Signed statement")),
  },
  "get /.oidc/interaction/:uid": {
    about: "What an app asks of whoever signs in",
    pass: "session",
    answer: json(anything("The app, and what it wants")),
  },
  "post /.oidc/interaction/:uid": {
    about: "Answer what an app asks",
    pass: "session",
    body: json(anything("Yes, and how far; or no")),
    answer: json(anything("Where the browser goes on")),
  },
  "post /.oidc/session-token": {
    about: "A short token for the own pages, bound to the key of a DPoP proof",
    pass: "session",
    answer: json(
      object({
        access_token: text(),
        token_type: choice("DPoP"),
        expires_in: count("Seconds"),
        webid: text(),
      }),
    ),
  },
};
