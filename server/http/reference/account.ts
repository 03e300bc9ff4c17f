/** The doors under `/.account/` for the reference: what a person's own pages ask. Long, for it is one table. */
import {
  anything,
  choice,
  count,
  flag,
  json,
  list,
  moment,
  NOTHING,
  object,
  orNull,
  PROGRESS,
  type SaidOf,
  type Schema,
  text,
} from "./said.ts";

const PATH = text("A path of the own pod, from the server's root: /ana/notes/");
const TOKEN = text("The secret part of a set-up link; empty where everybody may open an account", 100);
const NAME = text("What the person wants to be called", 100);
const POD = text("Name of the pod: letters a-z, digits, inner hyphens", 63);
const PASSKEY = anything("What the browser's navigator.credentials gave, as JSON (WebAuthn)");
const OPTIONS = json(anything("Options for navigator.credentials, as JSON (WebAuthn)"));
const WHO = object({ kind: choice("public", "signed-in", "person", "group"), "iri?": text("WebID") });
const CHANGED = json(
  object({ places: count("How many places it touched"), undo: text("For /.account/access/undo") }),
);
const AFTER = { after: text("The last one of the page before") };
const SEEN_BY: Readonly<Record<string, Schema>> = {
  as: choice("public", "signed-in", "person", "group"),
  who: text("WebID"),
  path: PATH,
};
const JOURNAL: Readonly<Record<string, Schema>> = {
  by: choice("others"),
  who: text("you, operator, server, several, anonymous, or a WebID"),
  client: text("An app's address"),
  purpose: text("A purpose's address"),
  place: text("A path, with all below it"),
  refused: choice("only"),
  what: choice("looks", "changes"),
  from: moment,
  to: moment,
};
const FILE = { "application/octet-stream": { type: "string", format: "binary" } };
const FILE_NAME = { name: text("What the file is called", 200) };

export const ACCOUNT: SaidOf = {
  "get /.account/state": {
    about: "Who is signed in, and what the server asks of whoever opens an account",
    pass: "everybody",
    answer: json(
      object({
        baseUrl: text(),
        setUpNeeded: flag("There is no account yet"),
        signUp: choice("link", "open"),
        passkeys: flag("Whether passkeys can be used at this address"),
        passwordCharactersMin: count(),
        account: orNull(
          object({
            name: text(),
            pod: text(),
            address: text("WebID"),
            passport: orNull(text()),
            hasPassword: flag(),
            passkeys: list(object({ id: text(), name: text(), created: moment })),
            recoverySaved: orNull(moment),
            created: moment,
            fresh: flag("Whether the last proof is new enough for what wants one"),
          }),
        ),
      }),
    ),
  },
  "post /.account/setup/begin": {
    about: "What the browser must know to make a passport's first operation",
    pass: "page",
    body: json(object({ "token?": TOKEN })),
    answer: json(object({ zone: text(), registrar: text(), registry: text(), delegateKey: text() })),
  },
  "post /.account/setup/name": {
    about: "Whether a pod's name is still free",
    pass: "page",
    body: json(object({ "token?": TOKEN, pod: POD })),
    answer: json(object({ free: flag() })),
  },
  "post /.account/setup": {
    about: "Open an account with its pod, and sign in",
    pass: "page",
    body: json(
      object({
        "token?": TOKEN,
        name: NAME,
        pod: POD,
        "password?": orNull(text("Not trimmed")),
        "passkey?": orNull(PASSKEY),
        "createOp?": orNull(anything("The passport's signed first operation")),
        "recoverySaved?": flag("The recovery file is in a safe place"),
      }),
    ),
    answer: json(object({ name: text(), pod: text() })),
  },
  "post /.account/login": {
    about: "Sign in by password",
    pass: "page",
    body: json(object({ pod: POD, password: text() })),
    answer: json(object({ name: text(), pod: text() })),
  },
  "post /.account/logout": {
    about: "Sign out, here and in all apps",
    pass: "page",
    body: json(object({})),
    answer: NOTHING,
  },
  "post /.account/passkey/login-options": {
    about: "Options for signing in by passkey",
    pass: "page",
    body: json(object({})),
    answer: OPTIONS,
  },
  "post /.account/passkey/login": {
    about: "Sign in by passkey",
    pass: "page",
    body: json(object({ passkey: PASSKEY })),
    answer: json(object({ name: text(), pod: text() })),
  },
  "post /.account/passkey/register-options": {
    about: "Options for making a passkey, for a new account or a further one",
    pass: "page",
    body: json(object({ "token?": TOKEN, "name?": NAME, "pod?": POD })),
    answer: OPTIONS,
  },
  "post /.account/passkey/register": {
    about: "Add a passkey",
    pass: "proof",
    body: json(object({ passkey: PASSKEY })),
    answer: json(object({ id: text(), name: text(), created: moment })),
  },
  "delete /.account/passkeys/:id": { about: "Remove a passkey", pass: "proof", answer: NOTHING },
  "post /.account/password": {
    about: "Set, change or remove the password; all other sessions end",
    pass: "proof",
    body: json(object({ password: orNull(text("Null: from now on passkeys only")) })),
    answer: NOTHING,
  },
  "post /.account/recovery": {
    about: "Note that the recovery file is in a safe place",
    pass: "session",
    body: json(object({})),
    answer: json(object({ recoverySaved: moment })),
  },
  "get /.account/credentials": {
    about: "Connected programs: who signs in without a browser",
    pass: "session",
    answer: json(
      object({
        credentials: list(object({ id: text(), name: text(), created: moment, expires: orNull(moment) })),
      }),
    ),
  },
  "post /.account/credentials": {
    about: "Connect a program: its id and secret, shown this once, for the token door of OpenID Connect",
    pass: "proof",
    body: json(object({ name: NAME, "expires?": orNull(text("A day, such as 2027-01-31")) })),
    answer: json(
      object({ id: text(), secret: text(), name: text(), created: moment, expires: orNull(moment) }),
    ),
  },
  "delete /.account/credentials/:id": { about: "Disconnect a program", pass: "session", answer: NOTHING },
  "get /.account/sessions": {
    about: "Where the person is signed in",
    pass: "session",
    answer: json(
      object({
        sessions: list(
          object({ id: text(), device: text(), created: moment, seen: moment, current: flag() }),
        ),
      }),
    ),
  },
  "delete /.account/sessions/:id": { about: "Sign out in one place", pass: "session", answer: NOTHING },
  "delete /.account/sessions": { about: "Sign out everywhere else", pass: "session", answer: NOTHING },
  "get /.account/apps": {
    about: "Apps that were let in, and what each may do",
    pass: "session",
    answer: json(
      object({ apps: list(object({ id: text(), client: text(), name: orNull(text()), since: moment })) }),
    ),
  },
  "post /.account/apps/:id": {
    about: "Change what an app may do, at once",
    pass: "session",
    body: json(
      object({
        "folders?": orNull(list(PATH, "Null: the whole pod")),
        "modes?": list(choice("read", "append", "write", "control")),
      }),
    ),
    answer: json(anything("What it may do now")),
  },
  "delete /.account/apps/:id": { about: "Show an app out", pass: "session", answer: NOTHING },
  "get /.account/overview": {
    about: "The pod at a glance: who can see what, and how much there is",
    pass: "session",
    answer: json(
      object({
        people: count("Different people who can see more than the public card"),
        isPublic: flag(),
        entries: list(anything("Who may do what, where")),
        items: list(anything("What is in the pod's root")),
        resources: count(),
        bytes: count(),
      }),
    ),
  },
  "get /.account/folder": {
    about: "What is in a folder, a page at a time",
    pass: "session",
    query: { path: PATH, ...AFTER },
    answer: json(object({ items: list(anything("A document or a folder")) })),
  },
  "post /.account/access/grant": {
    about: "Let somebody in at a place, by the access rules",
    pass: "session",
    body: json(object({ path: PATH, who: WHO, modes: list(choice("read", "append", "write", "control")) })),
    answer: CHANGED,
  },
  "post /.account/access/revoke": {
    about: "Take back what somebody has by the access rules, at a place or everywhere",
    pass: "session",
    body: json(object({ who: WHO, "path?": PATH })),
    answer: CHANGED,
  },
  "post /.account/access/undo": {
    about: "Undo a change of access, for some minutes",
    pass: "session",
    body: json(object({ undo: text() })),
    answer: NOTHING,
  },
  "get /.account/access/opens": {
    about: "What would be opened if somebody were let in at a place",
    pass: "session",
    query: SEEN_BY,
    answer: json(anything("Documents and kinds of data")),
  },
  "get /.account/access/preview": {
    about: "The pod as somebody else sees it",
    pass: "session",
    query: { ...SEEN_BY, ...AFTER },
    answer: json(anything("A folder, with what they may do in it")),
  },
  "post /.account/passport/host": {
    about: "What an operation must name by which a passport from elsewhere comes here",
    pass: "session",
    body: json(object({})),
    answer: json(object({ zone: text(), registrar: text(), delegateKey: text() })),
  },
  "post /.account/passport/arrival": {
    about: "Take in a passport that comes from another host",
    pass: "proof",
    body: json(
      object({ "op?": anything("The signed operation"), "passport?": text("Or its name, if it leads here") }),
    ),
    answer: json(object({ passport: text() })),
  },
  "get /.account/journal": {
    about: "Who did what in the pod, the newest first",
    pass: "session",
    query: { ...JOURNAL, before: count("Number of an entry"), limit: count() },
    answer: json(object({ entries: list(anything("One entry, in words")) })),
  },
  "get /.account/journal/summary": {
    about: "Who looked how often, by day",
    pass: "session",
    query: { days: count() },
    answer: json(anything("Counts")),
  },
  "get /.account/journal/file": {
    about: "The journal as a file for a spreadsheet",
    pass: "session",
    query: JOURNAL,
    answer: { "text/csv": text() },
  },
  "get /.account/journal/head": {
    about: "The journal's signed head, to be kept elsewhere",
    pass: "session",
    answer: json(anything("A signed head")),
  },
  "post /.account/journal/verify": {
    about: "Check that nothing of the journal was changed or left out",
    pass: "session",
    body: json(object({ "heads?": list(anything("Signed heads that were kept elsewhere")) })),
    answer: PROGRESS,
  },
  "get /.account/health": {
    about: "When the last backup was, and what waits for the owner",
    pass: "session",
    answer: json(anything("Backup, disk, journal, waiting")),
  },
  "get /.account/safekeeping": {
    about: "When the last backup was, and how long the trash and earlier versions are kept",
    pass: "session",
    answer: json(
      object({
        backup: anything("When, or null"),
        trashMs: count("Milliseconds"),
        versionMs: count("Milliseconds"),
        versions: count("At most so many of a document"),
      }),
    ),
  },
  "post /.account/name": {
    about: "Change what the person wants to be called, in the account and on the public card",
    pass: "session",
    body: json(object({ name: NAME })),
    answer: json(object({ name: text() })),
  },
  "post /.account/keys": {
    about: "Seal everything of the pod anew with a fresh key; at most once an hour",
    pass: "proof",
    body: json(object({})),
    answer: PROGRESS,
  },
  "get /.account/usage": {
    about: "How full the pod is",
    pass: "session",
    answer: json(
      object({
        bytes: count(),
        resources: count(),
        quota: object({ bytes: count(), resources: count() }),
        trash: count("Bytes"),
        versions: count("Bytes"),
      }),
    ),
  },
  "get /.account/history": {
    about: "Earlier versions of a document",
    pass: "session",
    query: { path: PATH },
    answer: json(
      object({ path: text(), versions: list(object({ number: count(), bytes: count(), until: moment })) }),
    ),
  },
  "get /.account/history/version": {
    about: "An earlier version, as it was",
    pass: "session",
    query: { path: PATH, number: count() },
    answer: { "*/*": { type: "string", format: "binary" } },
  },
  "post /.account/history/restore": {
    about: "Bring an earlier version back; the present one becomes an earlier one",
    pass: "session",
    body: json(object({ path: PATH, number: count() })),
    answer: json(object({ path: text() })),
  },
  "get /.account/trash": {
    about: "What was deleted and can be brought back",
    pass: "session",
    answer: json(
      object({ items: list(anything("What it was, when, until when")), cut: flag("There is more") }),
    ),
  },
  "post /.account/trash/restore": {
    about: "Bring back what was deleted",
    pass: "session",
    body: json(object({ id: text(), "rename?": flag("Under another name where its own is taken") })),
    answer: json(object({ path: text(), private: flag("Nobody but the owner may see it for now") })),
  },
  "post /.account/trash/purge": {
    about: "Delete one thing in the trash for good",
    pass: "proof",
    body: json(object({ id: text() })),
    answer: NOTHING,
  },
  "post /.account/trash/empty": {
    about: "Empty the trash",
    pass: "proof",
    body: json(object({})),
    answer: json(object({ purged: count() })),
  },
  "get /.account/restrictions": {
    about: "Places that are frozen for everybody else",
    pass: "session",
    answer: json(object({ restrictions: list(anything("A place, and since when")) })),
  },
  "post /.account/restrictions": {
    about: "Freeze a place for everybody else, or no more (GDPR, article 18)",
    pass: "session",
    body: json(object({ path: PATH, restricted: flag() })),
    answer: json(object({ restrictions: list(anything("A place, and since when")) })),
  },
  "get /.account/imports": {
    about: "What was imported, and can be undone",
    pass: "session",
    answer: json(anything("Imports")),
  },
  "post /.account/imports/preview": {
    about: "What a file holds: contacts, payments, orders, readings",
    pass: "session",
    query: FILE_NAME,
    body: FILE,
    answer: json(anything("What it is, and some of its rows")),
  },
  "post /.account/imports": {
    about: "Import a file: contacts, payments, orders, readings",
    pass: "session",
    query: FILE_NAME,
    body: FILE,
    answer: PROGRESS,
  },
  "post /.account/imports/undo": {
    about: "Undo an import",
    pass: "session",
    body: json(object({ path: PATH })),
    answer: PROGRESS,
  },
  "get /.account/export": {
    about: "Everything of the pod in one ZIP file",
    pass: "proof",
    answer: { "application/zip": { type: "string", format: "binary" } },
  },
  "post /.account/import": {
    about: "Bring an exported pod, or a ZIP file of documents, into the own pod",
    pass: "proof",
    query: {
      present: choice("refuse", "keep", "replace"),
      consents: choice("go-on", "rest", "leave"),
      from: text("Address of the pod it is from, where the file does not say"),
      lists: choice("on", "off"),
    },
    body: { "application/zip": { type: "string", format: "binary" } },
    answer: PROGRESS,
  },
  "get /.account/moved": {
    about: "Where requests for the pod are sent on to",
    pass: "session",
    answer: json(object({ root: text(), movedTo: orNull(text()) })),
  },
  "post /.account/moved": {
    about: "Send all requests for the pod on to another address, or no more",
    pass: "proof",
    body: json(object({ to: orNull(text("Null: it is here again", 2_048)) })),
    answer: json(
      object({
        root: text(),
        movedTo: orNull(text()),
        passport: choice("updated", "owner-must-sign", "none"),
      }),
    ),
  },
  "post /.account/erase": {
    about:
      "Erase a document, a folder or the whole pod with its account for good; the receipt is shown this once",
    pass: "proof",
    body: json(
      object({
        path: orNull(text("Null: the pod with its account")),
        confirm: text('The pod\'s name, or "erase" for a path'),
      }),
    ),
    answer: json(object({ receipt: anything("Signed"), address: text(), salt: text() })),
  },
};
