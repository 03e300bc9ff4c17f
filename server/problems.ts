/** Every answer that says no: one table, from which the problem documents and their page in the docs are made. */

interface ProblemKind {
  readonly status: number;
  /** What happened: the same for every occurrence. */
  readonly title: string;
  /** What to do next. */
  readonly next: string;
}

const define = <T extends Readonly<Record<string, ProblemKind>>>(table: T): T => table;

export const PROBLEMS = define({
  "bad-request": {
    status: 400,
    title: "The request cannot be understood",
    next: "Correct the request and send it again.",
  },
  "path-invalid": {
    status: 400,
    title: "This address is not allowed",
    next: "Use an address without empty or dot segments, encoded slashes, backslashes or control characters.",
  },
  "rdf-invalid": {
    status: 400,
    title: "The document is not valid RDF",
    next: "Correct the place named in errors[] and send the document again. Nothing was stored.",
  },
  "content-type-missing": {
    status: 400,
    title: "The request has content but no Content-Type",
    next: "Name the media type of the content.",
  },
  "query-invalid": {
    status: 400,
    title: "The query is not valid SPARQL",
    next: "Correct the query and ask again.",
  },
  "query-refused": {
    status: 400,
    title: "The query asks for something this server does not do",
    next: "Do as the detail says: nothing is fetched for a query (ask each pod by itself), and an answer has a size.",
  },
  "webid-invalid": {
    status: 400,
    title: "This is not a WebID",
    next: "Give an absolute https address that names a person, such as https://example.org/card#me.",
  },
  "identifier-invalid": {
    status: 400,
    title: "This is not a passport identifier",
    next: "Check the identifier for typing errors; it is never corrected for you.",
  },
  "input-invalid": {
    status: 400,
    title: "The input is not valid",
    next: "Correct the fields named in errors[].",
  },
  "token-invalid": {
    status: 401,
    title: "The access token or its proof was not accepted",
    next: "Log in again and send a fresh DPoP proof with each request.",
  },
  "login-required": { status: 401, title: "Log in to see this", next: "Log in, then try again." },
  "login-failed": {
    status: 401,
    title: "The name or the password is wrong",
    next: "Try again, or use a passkey.",
  },
  "setup-link-invalid": {
    status: 403,
    title: "This set-up link does not work any more",
    next: "Ask whoever runs the server for a new link (freehold setup-link). Each works once, and not for long.",
  },
  "cross-origin": {
    status: 403,
    title: "This was not asked from the pod's own page",
    next: "Open the address of the pod itself in the browser and do it there.",
  },
  "login-stale": {
    status: 403,
    title: "Please confirm that it is you",
    next: "Sign in again, then repeat this within 15 minutes.",
  },
  restricted: {
    status: 403,
    title: "The owner has frozen this for the time being",
    next: "Nothing is lost: ask the owner, or try again later.",
  },
  "proof-invalid": {
    status: 422,
    title: "The signature does not hold",
    next: "Sign the document by eddsa-jcs-2022, with a key that your WebID document names as assertionMethod.",
  },
  "grant-paused": {
    status: 403,
    title: "The owner lets this grant rest for the time being",
    next: "Wait until the grant is Active again: it says so itself, and its owner has been told.",
  },
  "vendor-delisted": {
    status: 403,
    title: "The registry has suspended or delisted this vendor",
    next: "Read the sanction and its reason at the registry (/v1/sanctions); who was sanctioned may appeal there.",
  },
  "purpose-refused": {
    status: 403,
    title: "You were granted this for another purpose",
    next: "Name one of the accepted purposes in Access-Purpose, or a narrower one; or ask the owner for a grant for yours.",
  },
  forbidden: { status: 403, title: "You have no access to this", next: "Ask the owner for access." },
  "not-found": { status: 404, title: "There is nothing here", next: "Check the address." },
  "method-not-allowed": {
    status: 405,
    title: "This cannot be done to this resource",
    next: "Use one of the methods named in Allow.",
  },
  "not-acceptable": {
    status: 406,
    title: "None of the asked-for formats is available",
    next: "Ask for one of the formats named in the detail.",
  },
  "request-timeout": {
    status: 408,
    title: "The request took too long to arrive",
    next: "Send it again, over a faster line if you can.",
  },
  conflict: {
    status: 409,
    title: "The request conflicts with the present state",
    next: "Read the resource again and repeat the request if it still makes sense.",
  },
  "protected-triple": {
    status: 409,
    title: "This part of the document cannot be changed here",
    next: "Leave the protected statements as they are; change them on the account page.",
  },
  "container-not-empty": {
    status: 409,
    title: "The folder is not empty",
    next: "Delete what is in it first.",
  },
  "patch-conflict": {
    status: 409,
    title: "The patch does not fit the document",
    next: "Read the document again and make a new patch.",
  },
  "write-conflict": {
    status: 409,
    title: "Too many writers changed this at the same time",
    next: "Send the request again.",
  },
  gone: {
    status: 410,
    title: "What was here was erased for good",
    next: "Drop links to it and what you keep of it.",
  },
  "precondition-failed": {
    status: 412,
    title: "The resource has changed since you read it",
    next: "Read it again, apply your change to the new version, and send that.",
  },
  "body-too-large": {
    status: 413,
    title: "The content is too large",
    next: "Send at most the number of bytes named in the detail.",
  },
  "uri-too-long": { status: 414, title: "The address is too long", next: "Use a shorter address." },
  "unsupported-media-type": {
    status: 415,
    title: "This format is not accepted here",
    next: "Send one of the formats named in the detail.",
  },
  "range-not-satisfiable": {
    status: 416,
    title: "This part of the resource does not exist",
    next: "Ask for a range within the size named in Content-Range.",
  },
  "expectation-failed": {
    status: 417,
    title: "What the request expects is not known here",
    next: "Send Expect: 100-continue, or no Expect at all.",
  },
  "target-not-verified": {
    status: 422,
    title: "The address to send to does not say that it wants messages",
    next: "Let it answer the challenge that was sent to it, then subscribe again.",
  },
  "shape-violation": {
    status: 422,
    title: "The data do not fit the shape of this folder",
    next: "Correct what errors[] names and send the document again. Nothing was stored.",
  },
  "consent-invalid": {
    status: 422,
    title: "The access request or grant is not as it must be",
    next: "Correct what errors[] names, sign it anew and send it again. Nothing was stored.",
  },
  "shape-invalid": {
    status: 422,
    title: "The shape of this folder cannot be used",
    next: "Correct the shape as the detail says, or name another one for the folder. Nothing was stored.",
  },
  "archive-invalid": {
    status: 422,
    title: "This archive cannot be imported",
    next: "Use an archive as it was exported, or a ZIP file of documents; the detail says what is wrong with this one.",
  },
  "context-unknown": {
    status: 422,
    title: "The document has a JSON-LD context that is not known here",
    next: "Write the context into the document, or send Turtle. Nothing was stored.",
  },
  "patch-invalid": {
    status: 422,
    title: "The patch is not a valid N3 Patch",
    next: "Correct the patch as the detail says.",
  },
  "profile-invalid": {
    status: 422,
    title: "The document would be no WebID profile any more",
    next: "Keep what errors[] names and send the document again. Nothing was stored.",
  },
  "acl-invalid": {
    status: 422,
    title: "The access list was not accepted",
    next: "Correct the access list; the old one stays in force.",
  },
  "subscription-invalid": {
    status: 422,
    title: "The subscription cannot be made as it is asked for",
    next: "Correct the request as the detail says; GET the same address for what it can do.",
  },
  "operation-invalid": {
    status: 422,
    title: "The passport operation breaks a rule",
    next: "Correct the operation as the rule in the detail says.",
  },
  "precondition-required": {
    status: 428,
    title: "What is here is replaced only by those who say which version they saw",
    next: "Read the resource, and send its ETag in If-Match, or If-None-Match: * for a new one.",
  },
  "purpose-required": {
    status: 428,
    title: "You were granted this for several purposes",
    next: "Say what this is for: name one of the accepted purposes, or a narrower one, in Access-Purpose.",
  },
  "too-many-requests": { status: 429, title: "Too many requests", next: "Wait as long as Retry-After says." },
  "grant-spent": {
    status: 429,
    title: "As much as this grant allows has been read",
    next: "Wait as long as Retry-After says; if it says nothing, ask the owner for a new grant.",
  },
  "upgrade-required": {
    status: 426,
    title: "This is received over a WebSocket",
    next: "Open the same address as a WebSocket.",
  },
  "headers-too-large": {
    status: 431,
    title: "The header fields are too large",
    next: "Send fewer or shorter header fields.",
  },
  held: {
    status: 451,
    title: "The zone holds this passport",
    next: "Ask the authority that the detail names; its owner's keys and data are as they were, and may go to another zone.",
  },
  internal: {
    status: 500,
    title: "The server made a mistake",
    next: "Try again; if it stays, tell the operator the request id.",
  },
  "not-supported": {
    status: 501,
    title: "This method is not known here",
    next: "Use one of the methods of the Solid Protocol.",
  },
  "fetch-failed": {
    status: 502,
    title: "Another server did not answer as needed",
    next: "Try again later, or check the address.",
  },
  "outcome-unknown": {
    status: 503,
    title:
      "The disk or the database failed while this was being stored, so nobody can say yet whether it was",
    next: "Look whether it is there before you send it again. If it was the disk, nothing more is stored until whoever runs the server has seen to it and restarted the server.",
  },
  unavailable: {
    status: 503,
    title: "The server cannot do this right now",
    next: "Try again after the time in Retry-After.",
  },
  "query-timeout": {
    status: 503,
    title: "The query took too long",
    next: "Ask for less: name the properties you need, or add a LIMIT.",
  },
  "quota-exceeded": {
    status: 507,
    title: "The pod is full",
    next: "Delete something and empty the trash, or ask the operator for more room.",
  },
  "storage-full": {
    status: 507,
    title: "There is no room left",
    next: "Delete something, or ask the operator for more room.",
  },
});

export type Problems = typeof PROBLEMS;
