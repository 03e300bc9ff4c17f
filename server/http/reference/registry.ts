/** The registry of passports, for the reference. Its protocol is in `vocab/registry/README.md`. */
import { anything, choice, count, json, list, object, type SaidOf, type Schema, text } from "./said.ts";

const BUNDLE = json(anything("A bundle: the passport as it stands, with the proof"));
const NDJSON: Readonly<Record<string, Schema>> = {
  "application/x-ndjson": text("The epochs; then a line for each"),
};
const DID: Readonly<Record<string, Schema>> = {
  "application/did": anything("DID document"),
  "application/did-resolution": anything("DID resolution result"),
  "text/turtle": text(),
};
const ZONE = { zone: text("Two characters, such as ch") };
const FILE: Readonly<Record<string, Schema>> = {
  "application/octet-stream": { type: "string", format: "binary" },
};

export const REGISTRY: SaidOf = {
  "get /v1/passports/:id": {
    about: "Where a passport leads, proved",
    pass: "everybody",
    query: { proof: choice("head", "none") },
    answer: BUNDLE,
  },
  "post /v1/resolve": {
    about: "The same for up to 1,000 passports",
    pass: "everybody",
    body: json(object({ ids: list(text()) })),
    answer: NDJSON,
  },
  "post /v1/ops": {
    about: "Hand in a signed operation on a passport",
    pass: "everybody",
    body: json(anything("The operation")),
    status: 201,
    answer: json(anything("What became of it, with the checkpoint that says so")),
  },
  "get /v1/ops/:hash": {
    about: "What became of an operation",
    pass: "everybody",
    answer: json(anything("State")),
  },
  "get /v1/identifiers/{*did}": { about: "DID resolution, HTTP binding", pass: "everybody", answer: DID },
  "post /v1/identifiers/{*did}": {
    about: "DID resolution, HTTP binding, with its options as content",
    pass: "everybody",
    body: json(anything("Resolution options")),
    answer: DID,
  },
  "get /v1/id/:id": {
    about: "The WebID document of a passport",
    pass: "everybody",
    answer: {
      "text/turtle": text(),
      "application/ld+json": anything("JSON-LD"),
      "application/cid": anything("Controlled identifier"),
    },
  },
  "get /v1/id/:id/pod/{*place}": {
    about: "Leads to that place in the passport's pod, wherever it is: 307",
    pass: "everybody",
    answer: null,
  },
  "get /v1/feed": {
    about: "The log as it grows: server-sent events",
    pass: "everybody",
    query: { ...ZONE, from: count("Index of a leaf"), shard: text() },
    answer: { "text/event-stream": text() },
  },
  "get /v1/filter/:day": {
    about: "A filter of what changed on a day",
    pass: "everybody",
    query: ZONE,
    answer: FILE,
  },
  "get /v1/zones": {
    about: "The root's record: zones, keys, and who runs them",
    pass: "everybody",
    query: { version: count() },
    answer: json(anything("The record, signed")),
  },
  "get /v1/help": {
    about: "Zones, limits, doors, and all rules as sentences",
    pass: "everybody",
    answer: json(anything("Help")),
  },
  "get /rdap/help": {
    about: "The same, for clients of RDAP",
    pass: "everybody",
    answer: { "application/rdap+json": anything("Help") },
  },
  "get /rdap/entity/:id": {
    about: "A passport as RDAP has it, without personal data",
    pass: "everybody",
    answer: { "application/rdap+json": anything("Entity") },
  },
  "get /log/:zone/:year/checkpoint": {
    about: "The log's newest checkpoint, cosigned",
    pass: "everybody",
    answer: { "text/plain": text() },
  },
  "get /log/:zone/:year/checkpoint.pq": {
    about: "The same with signatures that quantum computers do not break",
    pass: "everybody",
    answer: { "text/plain": text() },
  },
  "get /log/:zone/:year/tile/{*file}": {
    about: "A tile of the log (C2SP tlog-tiles)",
    pass: "everybody",
    answer: FILE,
  },
  "get /v1/governance": {
    about: "The signed records of governance themselves, the oldest first",
    pass: "everybody",
    query: { ...ZONE, after: count("Number of a record") },
    answer: json(anything("Records")),
  },
  "get /v1/policy": {
    about: "The rules of accreditation and sanctions",
    pass: "everybody",
    query: ZONE,
    answer: json(anything("Policy")),
  },
  "get /v1/registrars": {
    about: "Who is accredited",
    pass: "everybody",
    query: ZONE,
    answer: json(anything("Registrars")),
  },
  "get /v1/registrars/:id": {
    about: "A registrar, and how it does",
    pass: "everybody",
    query: ZONE,
    answer: json(anything("Registrar")),
  },
  "get /v1/vendors": {
    about: "Vendors that are entered",
    pass: "everybody",
    query: ZONE,
    answer: json(anything("Vendors")),
  },
  "get /v1/vendors/:id": {
    about: "A vendor, and what became of complaints",
    pass: "everybody",
    query: ZONE,
    answer: json(anything("Vendor")),
  },
  "get /v1/sanctions": {
    about: "Sanctions, and why",
    pass: "everybody",
    query: ZONE,
    answer: json(anything("Sanctions")),
  },
  "get /v1/appeals": {
    about: "Appeals, and what came of them",
    pass: "everybody",
    query: ZONE,
    answer: json(anything("Appeals")),
  },
};
