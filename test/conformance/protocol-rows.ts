/** The Solid Protocol, clause by clause: which test shows it. Long, for it is one list in the order of the specification. */
import { type Entry, rowsOf, type Section, suiteOf, withNote, withUrl } from "./entry.ts";

const ED = "https://solidproject.org/ED/protocol";
const { met, notApplicable, notMet } = rowsOf((id) => `${ED}#${id}`);

const own = suiteOf("test/conformance/protocol.test.ts", "Solid Protocol");
const across = suiteOf("test/conformance/protocol.test.ts", "Solid Protocol across origins");
const n3 = suiteOf("test/conformance/n3-patch.test.ts", "N3 Patch of the Solid Protocol");
const n3Needs = suiteOf(
  "test/conformance/n3-patch.test.ts",
  "N3 Patch of the Solid Protocol server-n3-patch-where, server-n3-patch-insert, server-n3-patch-delete: what each part needs",
);
const clauses = suiteOf("test/ldp/protocol.test.ts", "The Solid Protocol, clause by clause");
const resources = suiteOf("test/ldp/resources.test.ts", "Resources of a pod");
const hostile = suiteOf("test/doors/hostile.test.ts", "Hostile messages");
const identity = suiteOf("test/doors/hostile-identity.test.ts", "Hostile identities");
const doors = suiteOf("test/doors/matrix.test.ts", "Every door, and who may pass it of a pod");
const existence = suiteOf(
  "test/doors/existence.test.ts",
  "Whoever has no access learns nothing of what exists",
);
const library = suiteOf("test/clients/solid-client.test.ts", "@inrupt/solid-client");
const shapes = suiteOf("test/ldp/shapes.test.ts", "A folder that asks for a shape");
const inbox = suiteOf("test/ldp/inbox.test.ts", "The inbox of a new pod (server-ldn)");
const discovery = suiteOf(
  "test/notify/service.test.ts",
  "notifications: discovery and subscription discovery",
);
const service = suiteOf(
  "test/notify/service.test.ts",
  "notifications: discovery and subscription the service",
);
const webSocket = suiteOf("test/notify/websocket.test.ts", "notifications over WebSockets");
const provider = suiteOf("test/auth/provider.test.ts", "provider: behind a proxy with TLS");

/** One clause of all kinds of resources of a pod. */
const ofEachKind = (title: string) =>
  clauses(
    ...[
      "a document",
      "a binary",
      "a folder",
      "the root",
      "an access list",
      "a description",
      "a folder's description",
      "the storage's description",
    ].map((kind) => `${kind} answers ${title}`),
  );

const BY_PROXY =
  "The server itself speaks HTTP/1.1 without TLS, by default on the loopback address only; a proxy on the same host gives others TLS, as docker/README.md says.";

/** Each is refused with 422. */
const invalidPatch = (clause: string, ...what: readonly string[]) =>
  n3(
    ...what.map(
      (one) => `${clause}, server-patch-n3-invalid: ${one} is refused with 422, and nothing changes`,
    ),
  );

const INVALID_PATCHES: Readonly<Record<string, readonly string[]>> = {
  "server-patch-n3-patches": ["no patch resource", "an empty document"],
  "server-patch-n3-patch-identifier": ["a literal for the patch"],
  "server-patch-n3-deletes": ["two deletes"],
  "server-patch-n3-inserts": ["two inserts"],
  "server-patch-n3-where": ["two conditions"],
  "server-patch-n3-formulae": ["a formula inside a formula", "an address instead of a formula"],
  "server-patch-n3-single": ["two patch resources"],
  "server-patch-n3-simple-type": ["no type", "only the general type"],
  "server-patch-n3-variables": [
    "a variable inserted that no condition has",
    "a variable deleted that no condition has",
  ],
  "server-patch-n3-blank-nodes": ["a blank node deleted"],
  "server-patch-n3-blank-nodes-syntax": [
    "one blank node in conditions and inserts",
    "one blank node in inserts and outside",
  ],
};
const constraint = (id: string): Entry => met(id, "MUST", invalidPatch(id, ...(INVALID_PATCHES[id] ?? [])));

export const PROTOCOL: Section = {
  name: "Solid Protocol, Editor's Draft 0.12.0",
  entries: [
    met(
      "server-http",
      "MUST",
      clauses(
        "conditions hold for GET and HEAD, too",
        "conditions ranges are of GET alone, and of the version that If-Range names",
        "refusals are problem documents for programs, and pages for people",
      ),
      hostile("with headers twice two hosts: 400"),
      ofEachKind("HEAD with the headers of GET and nothing else (server-safe-methods)"),
    ),
    met(
      "server-caching",
      "SHOULD",
      resources("documents are answered with 304 and without content when unchanged"),
      clauses("conditions 304 repeats what caches need, and nothing about content"),
    ),
    met(
      "server-http-11",
      "MUST",
      hostile(
        "whose end is not where it seems pipelined requests are answered in their order",
        "that say who is addressed without Host: 400; with any other: the address is the server's own all the same",
        "whose end is not where it seems length and chunks: refused, and what follows is no second request",
        "with Expect of leave to send: none for strangers, and the connection ends",
      ),
    ),
    notMet("server-http-2", "SHOULD", `${BY_PROXY} HTTP/2 is for that proxy to speak.`),
    withNote(
      `${BY_PROXY} Behind it, addresses, cookies and proofs are those of the public https address.`,
      met(
        "server-tls-https",
        "SHOULD",
        provider("addresses and cookies are those of the public address", "a proof names the public address"),
      ),
    ),
    notApplicable(
      "server-tls-https-redirect",
      "MUST",
      "One server answers under one scheme, that of FREEHOLD_BASE_URL. Where a proxy serves both, the redirect is the proxy's.",
    ),
    met(
      "server-unauthenticated",
      "MUST",
      resources("the profile is what a stranger sees, and nothing else"),
      clauses("refusals 401 says how to log in, and that nobody did (rs-401, rs-as-uri, rs-dpop-challenge)"),
      identity("with a token that is none: 401, also where everybody may read DPoP a.b.c"),
    ),
    met(
      "server-content-type-includes",
      "MUST",
      own("server-content-type-includes: whatever has content says of what type"),
    ),
    met(
      "server-content-type-missing",
      "MUST",
      clauses(
        "formats content without a type is refused with 400 by each method (server-content-type-missing)",
      ),
    ),
    met(
      "server-last-modified-includes",
      "MUST",
      ofEachKind("HEAD with the headers of GET and nothing else (server-safe-methods)"),
      ofEachKind("with Last-Modified (server-last-modified-includes)"),
    ),
    met(
      "server-uri-trailing-slash-distinct",
      "MUST NOT",
      clauses("folders cannot be one with a document, in either order (server-uri-trailing-slash-distinct)"),
      resources("documents and folders cannot share a name"),
    ),
    met(
      "server-uri-redirect-differing",
      "MAY",
      resources(
        "documents lead from the unused form with a slash to the used one, for those who may read it",
      ),
    ),
    met(
      "server-authorization-redirect",
      "MUST",
      existence("the slash is added to an address only for those who may read what it leads to"),
      doors("get /{*path}: a folder without its slash"),
    ),
    met(
      "server-storage",
      "MUST",
      own("server-storage: a storage is the root container of all that is in it"),
    ),
    met(
      "server-storage-nonoverlapping",
      "MUST",
      own("server-storage-nonoverlapping: no storage begins inside another"),
    ),
    met(
      "server-link-storage",
      "MUST",
      clauses("folders say what they are (server-basic-container, server-link-storage)"),
    ),
    met(
      "server-storage-description",
      "MUST",
      ofEachKind("with the storage's description (server-storage-description)"),
    ),
    met(
      "server-storage-description-resource",
      "MUST",
      clauses("a storage says of itself that it is one (server-storage-description-resource)"),
    ),
    met(
      "server-storage-track-owner",
      "MUST",
      own("server-storage-track-owner: each storage has its own owner, who is in control of it"),
    ),
    met(
      "server-storage-link-owner",
      "MUST if advertised",
      own("server-storage-track-owner: each storage has its own owner, who is in control of it"),
      library(
        "what a resource says of itself is the same by HEAD: type, access list, storage description, owner",
      ),
    ),
    met(
      "server-basic-container",
      "MUST",
      clauses("folders say what they are (server-basic-container, server-link-storage)"),
      resources("folders come into being with what is put into them, and list it"),
      library("containers are created in a container, under a suggested name or another"),
      own(
        "server-basic-container: what a POST says of the new folder is about that folder, whatever its name",
      ),
    ),
    met(
      "server-contained-resource-metadata",
      "SHOULD",
      clauses("folders describe their members (server-contained-resource-metadata)"),
      [
        {
          file: "test/rdf/container.test.ts",
          title: "a container's listing says what the Solid Protocol wants of each member",
        },
      ],
    ),
    met(
      "server-auxiliary-resources-management",
      "MUST",
      clauses(
        "auxiliaries of nothing are not there and cannot be made (server-auxiliary-resources-management)",
        "auxiliaries are made, changed and deleted (server-put-patch-auxiliary-resource)",
        "auxiliaries end with their subject, folders too (server-delete-remove-auxiliary-resource)",
      ),
    ),
    met(
      "server-link-auxiliary-type",
      "MUST",
      clauses(
        "auxiliaries are named by their subject, and name it (server-link-auxiliary-type, client-link-describes)",
      ),
    ),
    met(
      "server-description-resource-max",
      "MUST NOT",
      own("server-description-resource-max: one description, under one name"),
    ),
    met(
      "server-description-resource-authorization",
      "MUST",
      own(
        "server-description-resource-authorization: a description has the rules of its subject, for each operation",
      ),
    ),
    met(
      "client-link-describes",
      "(server side of a client rule)",
      clauses(
        "auxiliaries are named by their subject, and name it (server-link-auxiliary-type, client-link-describes)",
      ),
    ),
    met(
      "server-method-not-allowed",
      "MUST",
      ofEachKind("with 405 and Allow to what cannot be done (server-method-not-allowed)"),
      hostile("with methods that no resource has PROPFIND: 405 with Allow everywhere"),
    ),
    met(
      "server-post-uri-assignment",
      "MUST",
      clauses(
        "folders give new members an address directly in themselves (server-post-container-create-resource)",
      ),
    ),
    withUrl(
      "https://solidproject.org/TR/2024/protocol-20240512#resource-type-heuristics",
      met(
        "server-slug",
        "(TR 0.11 text dropped in ED)",
        resources("folders take new members by POST, named after the Slug when it is free"),
      ),
    ),
    met(
      "server-safe-methods",
      "MUST",
      ofEachKind("HEAD with the headers of GET and nothing else (server-safe-methods)"),
      ofEachKind(
        "GET, HEAD and OPTIONS with Allow and what it accepts, in step (server-allow-methods, server-accept-headers)",
      ),
    ),
    met(
      "server-allow-methods",
      "MUST",
      ofEachKind(
        "GET, HEAD and OPTIONS with Allow and what it accepts, in step (server-allow-methods, server-accept-headers)",
      ),
      own("server-allow-methods: each successful answer says what may be done next, whatever was done"),
    ),
    met(
      "server-accept-headers",
      "MUST",
      ofEachKind(
        "GET, HEAD and OPTIONS with Allow and what it accepts, in step (server-allow-methods, server-accept-headers)",
      ),
    ),
    withUrl(
      `${ED}#writing-resources`,
      met(
        "(no id) write methods",
        "MUST",
        resources(
          "documents are created by PUT with 201 and come back as the very bytes that were sent",
          "documents are replaced by PUT with 204 and get a new ETag",
          "folders take new members by POST, named after the Slug when it is free",
          "patches change exactly what they say",
        ),
      ),
    ),
    met(
      "server-put-patch-intermediate-containers",
      "MUST",
      clauses(
        "folders are made with all folders above, by PUT and PATCH (server-put-patch-intermediate-containers)",
      ),
    ),
    met(
      "server-post-container",
      "MUST",
      resources("folders take new members by POST, named after the Slug when it is free"),
      doors("post /{*path}: a document", "post /{*path}: a folder"),
    ),
    met(
      "server-post-container-create-resource",
      "MUST",
      clauses(
        "folders give new members an address directly in themselves (server-post-container-create-resource)",
      ),
    ),
    met(
      "server-post-target-not-found",
      "MUST",
      clauses("folders that are not there take no POST: 404 (server-post-target-not-found)"),
    ),
    met(
      "server-put-patch-auxiliary-resource",
      "MUST",
      clauses("auxiliaries are made, changed and deleted (server-put-patch-auxiliary-resource)"),
    ),
    met(
      "server-protect-containment",
      "MUST NOT",
      clauses("folders do not let their listing be written, by whatever door (server-protect-containment)"),
    ),
    met(
      "server-protect-contained-resource-metadata",
      "MUST NOT",
      own(
        "server-protect-contained-resource-metadata: the size of a member is the server's to say",
        "server-protect-contained-resource-metadata: the Unix time of a member is the server's to say",
        "server-protect-contained-resource-metadata: the date of a member is the server's to say",
        "server-protect-contained-resource-metadata: the media type of a member is the server's to say",
      ),
    ),
    met("server-etag", "MAY", own("server-etag: a document of RDF has a strong ETag, and If-Match holds")),
    met(
      "server-patch-n3-accept",
      "MUST",
      n3(
        "server-patch-n3-accept, server-patch-n3-patch-identifier: a document of RDF takes it, under an address or a blank node",
      ),
    ),
    met(
      "server-patch-n3-advertise",
      "MUST",
      n3("server-patch-n3-advertise: Accept-Patch names it, on what takes patches and on what refuses one"),
    ),
    constraint("server-patch-n3-patches"),
    met(
      "server-patch-n3-patch-identifier",
      "MUST",
      n3(
        "server-patch-n3-accept, server-patch-n3-patch-identifier: a document of RDF takes it, under an address or a blank node",
      ),
      constraint("server-patch-n3-patch-identifier").tests,
    ),
    constraint("server-patch-n3-deletes"),
    constraint("server-patch-n3-inserts"),
    constraint("server-patch-n3-where"),
    constraint("server-patch-n3-formulae"),
    constraint("server-patch-n3-single"),
    constraint("server-patch-n3-simple-type"),
    constraint("server-patch-n3-variables"),
    constraint("server-patch-n3-blank-nodes"),
    constraint("server-patch-n3-blank-nodes-syntax"),
    met(
      "server-patch-n3-invalid",
      "MUST",
      Object.entries(INVALID_PATCHES).flatMap(([id, what]) => invalidPatch(id, ...what)),
    ),
    met("server-n3-patch-where", "MUST", n3Needs("conditions and inserts", "all three")),
    met("server-n3-patch-insert", "MUST", n3Needs("inserts", "conditions and inserts")),
    met("server-n3-patch-delete", "MUST", n3Needs("deletes", "all three")),
    met(
      "server-patch-n3-semantics",
      "MUST",
      n3(
        "server-patch-n3-semantics: the one mapping of the conditions goes into deletes and inserts, and the rest stays",
        "server-patch-n3-semantics: what is not there yet begins empty",
        "server-patch-n3-semantics: a blank node inserted is a new one each time",
      ),
      resources("patches of twenty clients at once are all kept"),
    ),
    met(
      "server-patch-n3-semantics-no-mapping",
      "MUST",
      n3(
        "server-patch-n3-semantics-no-mapping: conditions that nothing fits is a conflict, 409, and nothing changes",
        "server-patch-n3-semantics-no-mapping: conditions that fit twice is a conflict, 409, and nothing changes",
      ),
    ),
    met(
      "server-patch-n3-semantics-deletions-non-empty-all-triples",
      "MUST",
      n3(
        ...[
          "a deletion of what is not there",
          "a deletion of which one statement is there",
          "a deletion in a document that is not there",
        ].map(
          (what) =>
            `server-patch-n3-semantics-deletions-non-empty-all-triples: ${what} is a conflict, 409, and nothing changes`,
        ),
      ),
    ),
    withUrl(
      `${ED}#deleting-resources`,
      met(
        "(no id) DELETE",
        "MUST",
        resources("documents are gone after DELETE, with their access list and description"),
      ),
    ),
    met(
      "server-delete-protect-root-container",
      "MUST",
      resources("folders and the root itself cannot be deleted, nor its access list"),
    ),
    met(
      "server-disallow-delete",
      "MUST",
      resources("folders and the root itself cannot be deleted, nor its access list"),
      clauses(
        "the root answers with 405 and Allow to what cannot be done (server-method-not-allowed)",
        "an access list answers with 405 and Allow to what cannot be done (server-method-not-allowed)",
      ),
    ),
    met(
      "server-delete-remove-containment",
      "MUST",
      own("server-delete-remove-containment: what is deleted is listed no more, and its neighbours are"),
    ),
    met(
      "server-delete-remove-auxiliary-resource",
      "MUST",
      clauses("auxiliaries end with their subject, folders too (server-delete-remove-auxiliary-resource)"),
    ),
    met("server-delete-remove-empty-container", "MUST", resources("folders are deleted only when empty")),
    met(
      "server-delete-protect-nonempty-container",
      "MUST",
      resources("folders are deleted only when empty"),
      library("containers that are not empty are not deleted, and say why in a problem document"),
    ),
    met(
      "server-representation-turtle-jsonld",
      "MUST",
      clauses(
        ...[
          "a document",
          "a folder",
          "the root",
          "an access list",
          "a description",
          "a folder's description",
          "the storage's description",
        ].map(
          (what) => `formats ${what} comes as Turtle and as JSON-LD (server-representation-turtle-jsonld)`,
        ),
        "formats what came as JSON-LD comes back as Turtle",
      ),
    ),
    met(
      "server-representation-write-redirect",
      "MUST",
      own(
        "server-representation-write-redirect: a page of a folder sends writes on to the folder, and strangers nowhere",
      ),
      clauses("folders deleted without their slash: 308 to it (server-representation-write-redirect)"),
    ),
    met(
      "server-resource-constraints-advertisement",
      "encouraged",
      shapes(
        "says so (server-resource-constraints-advertisement)",
        "refuses with 422 what does not: PUT; nothing is stored",
      ),
    ),
    met(
      "server-ldn",
      "MUST",
      inbox(
        "is found by the profile: in a header and in the document (test-sender-header-discovery, test-sender-body-discovery)",
        "says what it takes before anything is sent (test-receiver-options-response, test-receiver-get-ldp-constrained-by)",
        "takes JSON-LD with a profile, and Turtle, from whoever has logged in: 201 and Location (test-receiver-post-created, test-receiver-post-link-profile)",
        "refuses what is no notice, by 4xx, and stores nothing of it (test-receiver-post-response-contraints-unmet)",
      ),
    ),
    met(
      "server-notifications-protocol-resource-server",
      "MUST",
      discovery(
        "a resource links to the storage description (#resource-server-link-storage-description-resource)",
        "which is JSON-LD in the protocol's data model (#resource-server-description-resource-accept, -response)",
      ),
    ),
    met(
      "server-notifications-protocol-subscription-server",
      "MUST",
      service(
        "has GET, HEAD, OPTIONS and POST (#subscription-server-subscription-request-methods, -accept)",
        "answers with a channel of WebSocketChannel2023 (#subscription-server-subscription-response)",
      ),
    ),
    met(
      "server-notifications-protocol-notification-sender",
      "MUST",
      webSocket(
        "what is told Create, Update and Delete of a document, with its ETag as state (#notification-message-data-model)",
      ),
    ),
    withNote(
      "The receiver is the inbox of each pod, for notification messages that other servers send as Linked Data Notifications.",
      met(
        "server-notifications-protocol-notification-receiver",
        "MUST",
        own(
          "server-notifications-protocol-notification-receiver: an inbox takes a notification message as a sender sends it",
        ),
      ),
    ),
    met(
      "server-cors",
      "MUST",
      across("server-cors: any method and any header may be sent, and any answer read"),
    ),
    met(
      "server-cors-access-control-headers",
      "MUST",
      ofEachKind("other origins, on success and refusal (server-cors)"),
    ),
    met("server-cors-acao-vary", "MUST", ofEachKind("other origins, on success and refusal (server-cors)")),
    met("server-cors-aceh", "MUST", across("server-cors-aceh: all header fields of an answer can be read")),
    met(
      "server-cors-options",
      "MUST",
      across("server-cors: any method and any header may be sent, and any answer read"),
      resources("answer a preflight without login, for a day's work in one"),
    ),
    met(
      "server-cors-enumerate",
      "SHOULD",
      across("server-cors-enumerate: they are listed by name, never as *"),
    ),
    met(
      "server-cors-accept-acah",
      "SHOULD",
      across("server-cors-accept-acah: Accept is listed, whatever else was asked for"),
    ),
    met("server-wac-acp", "MUST", doors("get /{*path}: a document", "put /{*path}: over a document")),
  ],
};
