/** The pod server's side of passports: opens them for its people, and keeps saying where they lead. The registry decides. */
import {
  type AllowUrl,
  allowNone,
  type CreateOperation,
  type DataOperation,
  type Desk as DeskFacts,
  generateKeyPair,
  idOfGenesis,
  isDataInForce,
  judge,
  type KeyPair,
  PassportError,
  type PassportId,
  type PublicKey,
  readSigned,
  type Signed,
  signAsDelegate,
  sponsorOperation,
} from "@freehold/client/passport";
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Pod } from "../store/pods.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { dropHosted, findHosted, findHostedOfPod, type HostedPassport, putHosted } from "./hosted.ts";
import {
  adoptDelegate,
  beginDelegate,
  dropDelegate,
  findDelegate,
  isDelegate,
  serverKey,
} from "./keyring.ts";
import type { Known, RegistryLink } from "./link.ts";
import { dataAgain, dataAt, dataWithdrawn, isWithdrawn, type Place } from "./speech.ts";

export type { Place } from "./speech.ts";

export interface HostingDeps {
  readonly store: Store;
  readonly now: () => Date;
  readonly link: RegistryLink;
  /** Of this server, ending in a slash: its people's issuer, and the origin that its delegates may name. */
  readonly baseUrl: string;
  /** Origins that passports may name although they are private or without TLS. This server's own always may. */
  readonly allowUrl?: AllowUrl;
  readonly limits: Limits;
  readonly log: Log;
}

/** What whoever opens a passport must know. */
export interface Beginning extends DeskFacts {
  /** Where the passport can be asked for; ends in a slash. */
  readonly registry: string;
}

export interface Hosting {
  /** What a browser must know to make a passport's first operation. The key is kept for as long as a set-up may take. */
  begin(zone?: string): Promise<Beginning>;
  /** @throws Problem as `finish` would, for a first operation that it would not take; makes nothing. */
  check(createOp: unknown): Promise<void>;
  /**
   * Sponsors a passport's first operation, sends it to the registry, and signs where it leads.
   * @throws Problem `operation-invalid` naming the rule, `conflict` when the pod has another passport, `unavailable`.
   */
  finish(input: {
    readonly createOp: unknown;
    readonly pod: Pod;
    readonly webid: WebId;
  }): Promise<{ readonly id: PassportId }>;
  /**
   * Signs a new data record as the pod's host; a storage that changed is listed as moved. Nothing happens if nothing changed.
   * @throws Problem `not-found` for a pod without passport, `forbidden` when it has another host now.
   */
  publish(pod: string, place: Place): Promise<{ readonly dseq: number }>;
  /**
   * The pod was erased: nothing is said any more of where its passport leads, and this host never speaks for it again.
   * The chain of its owner's own keys stays, for it is the owner's, and other hosts may come. A registry that does not
   * answer is told later.
   * @returns whether there was anything to withdraw.
   */
  withdraw(pod: string): Promise<boolean>;
  /** Its owner has changed something: a host that stays goes on speaking, under the new keys. */
  follow(id: PassportId): Promise<void>;
  /** The passport of a pod; null for one without. */
  ofPod(pod: string): Promise<PassportId | null>;
  find(id: PassportId): Promise<HostedPassport | null>;
  /** Whether this key is that of a host here, for this passport. */
  isHost(key: PublicKey, id: PassportId): Promise<boolean>;
  /** Says again what the registry did not hear, or what came into force while nobody looked. */
  tick(): Promise<void>;
}

export const invalid = (rule: string, detail: string, says?: string): Problem =>
  new Problem("operation-invalid", `${detail} (rule ${rule})`, {
    members: { rule, ...(says !== undefined && { says }) },
  });

const foreignDelegate = (): Problem =>
  invalid("delegate", "The delegate is not the key that was given for this passport");

const isLate = (error: unknown): boolean => error instanceof Problem && error.code === "conflict";

const TRIES_MAX = 5; // Others speak for the same passport at the same moment: its owner, and a second server.
const CHECKED_AT_ONCE = 200;

export function createHosting(deps: HostingDeps): Hosting {
  const { store, now, link, baseUrl, allowUrl = allowNone, limits, log } = deps;
  const { origin } = new URL(baseUrl);
  const host = { baseUrl, now };
  const begunMsMax = 2 * limits.setupLinkMsMax; // Longer than the link that leads to the set-up.
  const allow: AllowUrl = (url) => url.origin === origin || allowUrl(url);

  async function begin(zone: string = link.zones[0] ?? ""): Promise<Beginning> {
    if (!link.zones.includes(zone))
      throw new Problem("input-invalid", `Passports are registered here in ${link.zones.join(", ")}`);
    const { registrar, url } = link;
    if (link.hasOneHostKey)
      return { zone, registrar, registry: url, delegateKey: (await serverKey(store, "host")).key };
    const pair = await generateKeyPair();
    await store.write(SERVER_POD, (transaction) =>
      beginDelegate(transaction, pair, now().getTime(), begunMsMax),
    );
    return { zone, registrar, registry: url, delegateKey: pair.key };
  }

  function read(createOp: unknown): Signed {
    if (typeof createOp !== "string" && (typeof createOp !== "object" || createOp === null))
      throw invalid("envelope", "There is no signed operation");
    try {
      return readSigned(createOp, limits.operationBytesMax);
    } catch (cause) {
      if (cause instanceof PassportError) throw invalid(cause.rule, cause.detail);
      throw cause;
    }
  }

  /** This registrar puts its name under nothing that breaks a rule, so the rules come before the sponsorship. */
  async function sponsored(createOp: unknown): Promise<Signed<CreateOperation>> {
    const given = read(createOp);
    const options = { allowUrl: allow, operationBytesMax: limits.operationBytesMax };
    const verdict = await judge({ signed: given, state: null, options });
    if (verdict.kind === "broken") throw invalid(verdict.rule.id, verdict.detail, verdict.rule.says);
    const { op, sigs } = given as Signed<CreateOperation>; // Without a passport before it, only a create gets here.
    if (!link.zones.includes(op.zone))
      throw invalid("own-zone", `Passports are registered here in ${link.zones.join(", ")}`);
    if (op.registrar !== link.registrar)
      throw invalid("sponsored", `The registrar here is ${link.registrar}`);
    return sponsorOperation({ op, sigs }, link.registrar, await serverKey(store, "registrar"));
  }

  async function isHost(key: PublicKey, id: PassportId): Promise<boolean> {
    if (link.hasOneHostKey) return key === (await serverKey(store, "host")).key;
    return store.read(SERVER_POD, (snapshot) => isDelegate(snapshot, key, id));
  }

  /** @returns null where another host speaks. */
  async function delegateOf({ id, state }: Known): Promise<KeyPair | null> {
    const { key } = state.head.delegate;
    if (link.hasOneHostKey) {
      const own = await serverKey(store, "host");
      return own.key === key ? own : null;
    }
    return store.read(SERVER_POD, (snapshot) => findDelegate(snapshot, key, id));
  }

  /** What may be replaced: an account that was not finished leaves a passport that nobody knows. */
  async function checkUnused(former: HostedPassport): Promise<void> {
    const known = await link.find(former.id);
    const isUnused = !known || (known.state.head.seq === 0 && known.state.dseq <= 1);
    if (!isUnused || former.made <= now().getTime() - begunMsMax)
      throw new Problem("conflict", "This pod has a passport already");
  }

  /**
   * Signs as the host what `say` makes of the passport as it is now, and again if it has changed meanwhile.
   * @param say Null says nothing.
   * @returns null where nothing was said.
   */
  async function speak(
    id: PassportId,
    say: (known: Known) => DataOperation | null,
  ): Promise<{ readonly dseq: number; readonly isNew: boolean } | null> {
    let dseq = 0; // Without a data record in force nobody can read the number of the last; the registry tells who is late.
    for (let tries = 1; ; tries += 1) {
      const found = await link.find(id);
      if (!found) return null;
      const known = { ...found, state: { ...found.state, dseq: Math.max(found.state.dseq, dseq) } };
      const delegate = await delegateOf(known);
      if (!delegate) throw new Problem("forbidden", "The passport has another host now");
      const op = say(known);
      if (!op) return { dseq: known.state.dseq, isNew: false };
      try {
        const taken = await link.submit(await signAsDelegate(op, delegate));
        await remember(id, op);
        if (taken.isNew) log.info("passport.operation", { type: "data" });
        return { dseq: op.dseq, isNew: taken.isNew };
      } catch (error) {
        if (!isLate(error) || tries === TRIES_MAX) throw error;
        dseq = Number((error as Problem).members["dseq"] ?? dseq);
      }
    }
  }

  async function remember(id: PassportId, said: DataOperation): Promise<void> {
    await store.write(SERVER_POD, async (transaction) => {
      const hosted = await findHosted(transaction, id);
      if (hosted && hosted.pod !== null) putHosted(transaction, { ...hosted, said });
    });
  }

  async function finish({
    createOp,
    pod,
    webid,
  }: Parameters<Hosting["finish"]>[0]): Promise<{ readonly id: PassportId }> {
    const signed = await sponsored(createOp);
    const { op } = signed;
    const id = await idOfGenesis(op);
    if (!(await isHost(op.delegate.key, id))) throw foreignDelegate();
    const [former, other] = await store.read(SERVER_POD, (snapshot) =>
      Promise.all([findHostedOfPod(snapshot, pod.name), findHosted(snapshot, id)]),
    );
    if (other && other.pod !== pod.name)
      throw new Problem("conflict", "This passport belongs to another pod");
    if (former && former.id !== id) await checkUnused(former);
    const { isNew } = await link.submit(signed);
    await store.write(SERVER_POD, async (transaction) => {
      const before = await findHostedOfPod(transaction, pod.name);
      if (before?.id === id) return; // The answer to an earlier try was lost.
      if (before && before.id !== former?.id)
        throw new Problem("conflict", "This pod has a passport already");
      if (!link.hasOneHostKey && !(await adoptDelegate(transaction, op.delegate.key, id)))
        throw foreignDelegate();
      if (before) putHosted(transaction, { ...before, pod: null });
      const made = now().getTime();
      putHosted(transaction, { id, pod: pod.name, made, said: null, link: null });
    });
    if (former && former.id !== id) await unsay(former.id);
    const place = { webid: [webid], storage: `${baseUrl}${pod.name}/` };
    await speak(id, ({ state, data }) => (data ? null : dataAt(state, null, place, host)));
    if (isNew) log.info("passport.created");
    return { id };
  }

  async function publish(pod: string, place: Place): Promise<{ readonly dseq: number }> {
    const hosted = await store.read(SERVER_POD, (snapshot) => findHostedOfPod(snapshot, pod));
    if (!hosted) throw new Problem("not-found", "This pod has no passport");
    const said = await speak(hosted.id, ({ state, data }) => {
      const before = data?.op ?? hosted.said;
      const isSame =
        data?.op.storage[0]?.url === place.storage &&
        data.op.oidc === baseUrl &&
        data.op.webid.join(" ") === place.webid.join(" ");
      return isSame ? null : dataAt(state, before, place, host);
    });
    if (!said) throw new Problem("not-found", "The registry has no such passport any more");
    return { dseq: said.dseq };
  }

  /** Tells the registry that a passport leads nowhere, and then forgets its key and that it was here. */
  async function unsay(id: PassportId): Promise<void> {
    const known = await link.find(id);
    if (known?.data && (await delegateOf(known)))
      await speak(id, ({ state, data }) => (data && !isWithdrawn(data.op) ? dataWithdrawn(state) : null));
    await store.write(SERVER_POD, async (transaction) => {
      const hosted = await findHosted(transaction, id);
      if (known) dropDelegate(transaction, known.state.head.delegate.key);
      if (hosted) dropHosted(transaction, hosted);
    });
  }

  async function withdraw(pod: string): Promise<boolean> {
    const { result: id } = await store.write(SERVER_POD, async (transaction) => {
      const hosted = await findHostedOfPod(transaction, pod);
      if (!hosted) return null;
      transaction.delete("passport", "pod", pod);
      putHosted(transaction, { ...hosted, pod: null, said: null, link: null });
      return hosted.id;
    });
    if (id === null) return false;
    await unsay(id).catch((error: unknown) =>
      log.warn("passport.not-withdrawn", { cause: error instanceof Problem ? error.code : String(error) }),
    );
    return true;
  }

  async function followOne(hosted: HostedPassport): Promise<void> {
    const known = await link.find(hosted.id);
    if (!known) return; // Erased by its owner, or on its way to another zone.
    const { data, state } = known;
    if (data && isDataInForce(state, data.op)) {
      if (hosted.said?.dseq !== data.op.dseq) await remember(hosted.id, data.op); // Each number is one record.
      return;
    }
    const { said } = hosted;
    if (!said || !(await delegateOf(known))) return; // Only its owner can say where it leads.
    await speak(hosted.id, (newest) =>
      newest.data && isDataInForce(newest.state, newest.data.op) ? null : dataAgain(newest.state, said, host),
    );
  }

  async function follow(id: PassportId): Promise<void> {
    const hosted = await store.read(SERVER_POD, (snapshot) => findHosted(snapshot, id));
    if (hosted && hosted.pod !== null) await followOne(hosted);
  }

  /** A page at a time, so that many passports hold up nothing. */
  async function tick(): Promise<void> {
    for (let after: string | null = null; ; ) {
      const page = await store.read(SERVER_POD, async (snapshot) => {
        const { entries, next } = await snapshot.page("passport", "hosted", after, CHECKED_AT_ONCE);
        return { ids: entries.map(({ item }) => item as PassportId), next };
      });
      for (const id of page.ids) {
        const hosted = await store.read(SERVER_POD, (snapshot) => findHosted(snapshot, id));
        if (hosted?.pod === null) await unsay(id);
        else if (hosted) await followOne(hosted);
      }
      after = page.next;
      if (after === null) return;
    }
  }

  return {
    begin,
    async check(createOp) {
      const { op } = await sponsored(createOp);
      if (!(await isHost(op.delegate.key, await idOfGenesis(op)))) throw foreignDelegate();
    },
    finish,
    publish,
    withdraw,
    follow,
    ofPod: (pod) =>
      store.read(SERVER_POD, async (snapshot) => (await findHostedOfPod(snapshot, pod))?.id ?? null),
    find: (id) => store.read(SERVER_POD, (snapshot) => findHosted(snapshot, id)),
    isHost,
    tick,
  };
}
