/** The people of this server: opening an account with its pod, ways to sign in, and what the identity provider asks. Long, for it is the one place that changes an account. */
import type { Config } from "../config.ts";
import { Problem } from "../errors.ts";
import { parseWebId, type WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { webIdOfPod } from "../profile.ts";
import { createRate, networkOf, type Rate, retryAfter } from "../rates.ts";
import { POD_NAME, type Pod, type Pods, RESERVED_NAMES } from "../store/pods.ts";
import { SERVER_POD, type Snapshot, type Store, type Transaction } from "../store/store.ts";
import { type Credentials, createCredentials } from "./credentials.ts";
import { type NewDocument, newPodDocuments } from "./new-pod.ts";
import type { OwnerAccess } from "./owner.ts";
import { createPasskeys, type Passkeys } from "./passkeys.ts";
import { createPasswords, passwordFault } from "./password.ts";
import {
  type Account,
  accountOfPasskey,
  accountOfPod,
  anyAccount,
  findAccount,
  listAccounts,
  type Passkey,
  putAccount,
} from "./records.ts";
import { newId } from "./secret.ts";
import { createSessions, type Session, type Sessions } from "./sessions.ts";
import { createSetupLinks, type LinkWish, type SetupLinks } from "./setup-links.ts";

type Headers = Readonly<Record<string, string | undefined>>;

/** Where new passports are registered. */
export interface PassportDesk {
  /** What the browser must know to make the first operation of a passport. */
  begin(): Promise<{
    readonly zone: string;
    readonly registrar: string;
    /** Where the passport can be asked for; ends in a slash. */
    readonly registry: string;
    readonly delegateKey: string;
  }>;
  /**
   * Would `finish` take this operation? Asked before anything is made.
   * @throws Problem when it would not.
   */
  check(createOp: unknown): Promise<void>;
  /** @throws Problem when the operation breaks a rule; then no passport was made. */
  finish(input: {
    readonly createOp: unknown;
    readonly pod: Pod;
    readonly webid: WebId;
  }): Promise<{ readonly id: string }>;
  /** @returns the passport that leads to a pod; null for none. */
  ofPod(pod: string): Promise<string | null>;
}

export interface AccountDeps {
  readonly store: Store;
  readonly pods: Pods;
  readonly now: () => Date;
  readonly limits: Limits;
  readonly config: Pick<Config, "baseUrl" | "signUp" | "access"> & Partial<Pick<Config, "registry">>;
  readonly log: Log;
  /** Writes a new pod's first documents. */
  readonly seed: (pod: Pod, documents: readonly NewDocument[]) => Promise<void>;
  readonly passport: PassportDesk;
  /** What the access layer does for the owner's page. */
  readonly access: OwnerAccess;
}

/** What a person fills in to open an account; a password, a passkey, or both. */
export interface Opening {
  readonly name: string;
  readonly pod: string;
  readonly password: string | null;
  readonly passkey: { readonly accountId: string; readonly passkey: Passkey } | null;
  /** The passport's signed first operation; null makes an account without a passport. */
  readonly createOp: unknown;
  readonly recoverySaved: boolean;
}

export interface AccountService {
  // The identity provider's port (server/auth/accounts.ts).
  sessionOf(headers: Headers): Promise<{ readonly accountId: string; readonly webid: WebId } | null>;
  webIdOf(accountId: string): Promise<WebId | null>;
  credentialOf(clientId: string): Promise<{ readonly secretHash: Uint8Array; readonly webid: WebId } | null>;

  /** A one-time link that opens an account: for `start` when there is none yet, and for the CLI. */
  createSetupLink(wish?: LinkWish): Promise<string>;
  /** One for somebody by name. @throws Problem `conflict` when there are too many. */
  invite(
    name: string,
    ms: number,
  ): Promise<{ readonly id: string; readonly link: string; readonly expires: number }>;
  readonly invitations: Pick<SetupLinks, "invitations" | "withdraw">;
  /** Says who runs the server, besides who has its command line. @throws Problem `not-found`. */
  setOperator(pod: string, isOperator: boolean): Promise<Account>;
  /** No account yet: then the start prints a set-up link. */
  isEmpty(): Promise<boolean>;
  /** Of all accounts: not for a request. */
  list(): Promise<readonly Account[]>;
  /** Any one account; null when there is none. */
  any(): Promise<Account | null>;
  /** What those among these WebIDs who live here want to be called. */
  namesOf(webids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Opens an account with its pod: the operator's way, without a link.
   * @throws Problem `input-invalid`, `conflict` when the name is taken.
   */
  open(opening: Opening): Promise<Account>;

  // For the doors of this folder.
  /** @throws Problem `setup-link-invalid` when accounts need a link and `token` is none. */
  checkLink(token: string): Promise<void>;
  openByLink(token: string, opening: Opening): Promise<Account>;
  /** Is this name for a pod still free? */
  isFree(pod: string): Promise<boolean>;
  signedIn(headers: Headers): Promise<{ readonly account: Account; readonly session: Session } | null>;
  /** @throws Problem `login-failed`, in the same words and time whoever asks; `too-many-requests`. */
  loginByPassword(pod: string, password: string, ip: string): Promise<Account>;
  loginByPasskey(response: unknown, ip: string): Promise<Account>;
  /** Counts a stranger's request against the network it comes from. @throws Problem `too-many-requests` */
  countVisit(ip: string): void;
  setPassword(account: Account, password: string | null): Promise<Account>;
  addPasskey(account: Account, passkey: Passkey): Promise<Account>;
  removePasskey(account: Account, id: string): Promise<Account>;
  noteRecovery(account: Account): Promise<Account>;
  /** @param name As the person wants to be called from now on. */
  rename(account: Account, name: string): Promise<Account>;
  noteJournalChecked(account: Account, checked: Account["journalChecked"] & object): Promise<Account>;
  readonly passkeys: Passkeys;
  readonly sessions: Sessions;
  readonly credentials: Credentials;
  readonly deps: AccountDeps;
}

/** By what a person comes in: what was begun with it, only it can finish. */
interface Pass {
  /** Pods that were begun with it before. */
  readonly begun: readonly string[];
  note(pod: string): Promise<void>;
  forget(pod: string): Promise<void>;
  /** In the transaction that opens the account. */
  use(transaction: Transaction): Promise<{ readonly isFirst: boolean }>;
}

const WITHOUT_LINK: Pass = {
  begun: [],
  note: async () => {},
  forget: async () => {},
  use: async () => ({ isFirst: false }),
};

/** @throws Problem `too-many-requests`. */
function spend(rate: Rate, key: string): void {
  const wait = rate(key);
  if (wait === 0) return;
  const seconds = Math.ceil(wait / 1_000);
  const words = seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
  throw new Problem("too-many-requests", `Try again in ${words}`, { headers: retryAfter(wait) });
}

/** The people of this server, on its store. */
export function createAccounts(deps: AccountDeps): AccountService {
  const { store, pods, now, limits, config, log, seed, passport } = deps;
  const passwords = createPasswords(limits);
  const passkeys = createPasskeys(config.baseUrl, now, limits);
  const sessions = createSessions(store, config.baseUrl, now, limits);
  const credentials = createCredentials(store, now, limits);
  const links = createSetupLinks(store, now, limits);
  const perAccount = createRate(
    limits.loginsPerAccountMax,
    limits.loginsPerAccountMsMax,
    limits.ratesRemembered,
    now,
  );
  const perNetwork = createRate(limits.loginsPerIpMax, limits.loginsPerIpMsMax, limits.ratesRemembered, now);
  const opening = new Set<string>(); // Pods, and set-up links, with which an account is being opened at this moment.

  const read = <T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> => store.read(SERVER_POD, work);
  const linkOf = (token: string): string => `${config.baseUrl}.account/setup#token=${token}`;

  /** One account's change, on the newest record. */
  async function change(account: Account, edit: (current: Account) => Account): Promise<Account> {
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const current = await findAccount(transaction, account.id);
      if (!current) throw new Problem("login-required", "This account is gone");
      const edited = edit(current);
      await putAccount(transaction, edited);
      return edited;
    });
    return result;
  }

  function checkOpening({ name, pod, password, passkey }: Opening): void {
    const errors = [
      ...(name ? [] : [{ at: "/name", detail: "Please say what you want to be called" }]),
      ...(POD_NAME.test(pod) && !RESERVED_NAMES.has(pod)
        ? []
        : [{ at: "/pod", detail: "Use 1 to 63 letters a-z, digits and inner hyphens" }]),
      ...(password === null && !passkey
        ? [{ at: "/password", detail: "Choose a passkey or a password" }]
        : []),
    ];
    const fault = password === null ? null : passwordFault(password, [name, pod], limits);
    if (fault) errors.push({ at: "/password", detail: fault });
    if (errors.length > 0)
      throw new Problem("input-invalid", errors.map(({ detail }) => detail).join(". "), { errors });
  }

  const taken = (pod: string): Problem =>
    new Problem("conflict", `The address ${config.baseUrl}${pod}/ is taken; choose another`, {
      errors: [{ at: "/pod", detail: "This one is taken" }],
    });

  /** Noted before it is there, for what breaks off right after; nobody gets a claim to a name that another has. */
  async function createPod(name: string, webid: WebId, pass: Pass): Promise<Pod> {
    await pass.note(name);
    try {
      return await pods.create(name, webid);
    } catch (error) {
      await pass.forget(name);
      throw error;
    }
  }

  /** A pod that was made for a passport which the registry does not take is none: others may have its name. */
  async function finishPassport(input: Parameters<PassportDesk["finish"]>[0], isNewPod: boolean, pass: Pass) {
    try {
      return await passport.finish(input);
    } catch (error) {
      const isRefused = error instanceof Problem && (await passport.ofPod(input.pod.name)) === null;
      if (isRefused && isNewPod) {
        await pods.giveBack(input.pod);
        await pass.forget(input.pod.name);
      }
      throw error;
    }
  }

  /**
   * Pod, passport, first documents, account: in this order, so that what breaks off half-way leaves no account,
   * and the next try by the same link goes on with the pod that is already there.
   */
  async function make(chosen: Opening, pass: Pass): Promise<Account> {
    checkOpening(chosen);
    const { pod: podName, name } = chosen;
    if (opening.has(podName)) throw taken(podName);
    opening.add(podName);
    try {
      const password = chosen.password === null ? null : await passwords.hash(chosen.password);
      const webid = parseWebId(webIdOfPod(config.baseUrl, podName));
      const former = await pods.find(podName);
      const isOpen = former?.erased === undefined && pass.begun.includes(podName);
      if (former && (!isOpen || (await read((snapshot) => accountOfPod(snapshot, podName)))))
        throw taken(podName);
      if (chosen.createOp !== null) await passport.check(chosen.createOp);
      const pod = former ?? (await createPod(podName, webid, pass));
      const id =
        chosen.createOp === null
          ? null
          : (await finishPassport({ createOp: chosen.createOp, pod, webid }, former === null, pass)).id;
      const { baseUrl, access: language } = config;
      await seed(
        pod,
        newPodDocuments({ baseUrl, pod: podName, webid, name, passport: id, access: language }),
      );
      const at = now().getTime();
      const account: Account = {
        id: chosen.passkey?.accountId ?? newId(),
        name,
        pod: podName,
        webid,
        password,
        passkeys: chosen.passkey ? [chosen.passkey.passkey] : [],
        passport: id,
        recoverySaved: chosen.recoverySaved ? at : null,
        created: at,
      };
      const { result: opened } = await store.write(SERVER_POD, async (transaction) => {
        const { isFirst } = await pass.use(transaction);
        // Of several links of a first start, one makes an operator: that of who came first.
        const isOperator = isFirst && (await anyAccount(transaction)) === null;
        const record: Account = { ...account, ...(isOperator && { isOperator }) };
        await putAccount(transaction, record);
        return record;
      });
      log.info("account.opened", { passkey: chosen.passkey !== null, passport: id !== null });
      return opened;
    } finally {
      opening.delete(podName);
    }
  }

  return {
    passkeys,
    sessions,
    credentials,
    deps,
    async sessionOf(headers) {
      const session = await sessions.find(headers);
      const account = session && (await read((snapshot) => findAccount(snapshot, session.accountId)));
      return account && { accountId: account.id, webid: account.webid };
    },
    webIdOf: async (accountId) => (await read((snapshot) => findAccount(snapshot, accountId)))?.webid ?? null,
    credentialOf: (clientId) => credentials.find(clientId),

    createSetupLink: async (wish) => linkOf((await links.create(wish)).token),
    async invite(name, ms) {
      const { token, ...made } = await links.create({ name, ms });
      return { ...made, link: linkOf(token) };
    },
    invitations: links,
    async setOperator(pod, isOperator) {
      const account = await read((snapshot) => accountOfPod(snapshot, pod));
      if (!account) throw new Problem("not-found", "There is no such account");
      const changed = await change(account, ({ isOperator: _former, ...current }) => ({
        ...current,
        ...(isOperator && { isOperator }),
      }));
      log.info("account.operator", { operator: isOperator });
      return changed;
    },
    isEmpty: async () => (await read(anyAccount)) === null,
    list: () => read(listAccounts),
    any: () => read(anyAccount),
    namesOf: (webids) =>
      read(async (snapshot) => {
        const names = new Map<string, string>();
        for (const webid of new Set(webids)) {
          if (!webid.startsWith(config.baseUrl)) continue;
          const account = await accountOfPod(
            snapshot,
            webid.slice(config.baseUrl.length).split("/", 1)[0] ?? "",
          );
          if (account?.webid === webid) names.set(webid, account.name);
        }
        return names;
      }),
    open: (chosen) => make(chosen, WITHOUT_LINK),

    async checkLink(token) {
      if (config.signUp === "link" || token !== "") await links.check(token);
    },
    async openByLink(token, chosen) {
      if (config.signUp === "open" && token === "") return make(chosen, WITHOUT_LINK);
      const begun = await links.check(token);
      if (opening.has(token)) throw new Problem("conflict", "This link is being used in another window");
      opening.add(token);
      try {
        return await make(chosen, {
          begun,
          note: (pod) => links.note(token, pod),
          forget: (pod) => links.forget(token, pod),
          use: (transaction) => links.use(transaction, token),
        });
      } finally {
        opening.delete(token);
      }
    },
    isFree: async (pod) => POD_NAME.test(pod) && !RESERVED_NAMES.has(pod) && (await pods.find(pod)) === null,

    async signedIn(headers) {
      const session = await sessions.find(headers);
      const account = session && (await read((snapshot) => findAccount(snapshot, session.accountId)));
      return account && { account, session };
    },
    countVisit: (ip) => spend(perNetwork, networkOf(ip)),
    async loginByPassword(pod, password, ip) {
      spend(perNetwork, networkOf(ip));
      spend(perAccount, pod); // Passkeys are not counted so, or strangers could lock an owner out.
      const account = await read((snapshot) => accountOfPod(snapshot, pod));
      const right = await passwords.verify(password, account?.password ?? null);
      if (account && right) return account;
      log.info("login.failed", { by: "password" });
      throw new Problem("login-failed");
    },
    async loginByPasskey(response, ip) {
      spend(perNetwork, networkOf(ip));
      const ofPasskey = (id: string): Promise<Account | null> =>
        read((snapshot) => accountOfPasskey(snapshot, id));
      const used = await passkeys.login(
        response,
        async (id) => (await ofPasskey(id))?.passkeys.find((passkey) => passkey.id === id) ?? null,
      );
      const account = await ofPasskey(used.id);
      if (!account) throw new Problem("login-failed", "The passkey was not accepted");
      return change(account, (current) => ({
        ...current,
        passkeys: current.passkeys.map((passkey) =>
          passkey.id === used.id ? { ...passkey, counter: used.counter } : passkey,
        ),
      }));
    },
    async setPassword(account, password) {
      const fault = password === null ? null : passwordFault(password, [account.name, account.pod], limits);
      if (fault) throw new Problem("input-invalid", fault, { errors: [{ at: "/password", detail: fault }] });
      const hash = password === null ? null : await passwords.hash(password);
      return change(account, (current) => {
        if (hash === null && current.passkeys.length === 0)
          throw new Problem("conflict", "The password is the only way to sign in; add a passkey first");
        return { ...current, password: hash };
      });
    },
    addPasskey: (account, passkey) =>
      change(account, (current) => {
        if (current.passkeys.length >= limits.accountsPasskeysMax)
          throw new Problem("conflict", `At most ${limits.accountsPasskeysMax} passkeys; remove one first`);
        return { ...current, passkeys: [...current.passkeys, passkey] };
      }),
    removePasskey: (account, id) =>
      change(account, (current) => {
        const left = current.passkeys.filter((passkey) => passkey.id !== id);
        if (left.length === current.passkeys.length)
          throw new Problem("not-found", "There is no such passkey");
        if (left.length === 0 && current.password === null)
          throw new Problem(
            "conflict",
            "This passkey is the only way to sign in; add another or a password first",
          );
        return { ...current, passkeys: left };
      }),
    rename: (account, name) => change(account, (current) => ({ ...current, name })),
    noteRecovery: (account) => change(account, (current) => ({ ...current, recoverySaved: now().getTime() })),
    noteJournalChecked: (account, checked) =>
      change(account, (current) => ({ ...current, journalChecked: checked })),
  };
}
