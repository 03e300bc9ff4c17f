/**
 * A passport that comes to a pod of this server from another host. Its owner has signed that this one is the host from now on;
 * this server sponsors that, tells the registry, and says where the pod is: with the place it left among its moves.
 */
import {
  type AuthorityOperation,
  type DataOperation,
  isPassportId,
  PassportError,
  type PassportId,
  readSigned,
  type Signed,
  sponsorOperation,
} from "@freehold/client/passport";
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { findHosted, putHosted } from "./hosted.ts";
import { type Hosting, invalid } from "./hosting.ts";
import { adoptDelegate, serverKey } from "./keyring.ts";
import type { RegistryLink } from "./link.ts";

export interface ArrivalDeps {
  readonly store: Store;
  readonly now: () => Date;
  readonly link: RegistryLink;
  readonly hosting: Pick<Hosting, "isHost" | "ofPod" | "publish">;
  /** Of this server, ending in a slash. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly log: Log;
}

export interface Arrival {
  readonly op: unknown;
  readonly pod: Pod;
  readonly webid: WebId;
}

export interface Arrivals {
  /**
   * By an operation that names this server as registrar and host. Cut short it can be sent again: what the passport said
   * before is kept until this host has spoken.
   * @throws Problem `operation-invalid` naming the rule, `conflict` for a pod that has another passport, `not-found`,
   * `unavailable`.
   */
  takeIn(arrival: Arrival): Promise<{ readonly id: PassportId }>;
  /**
   * A passport whose owner has said already, with the owner's own keys, that it leads to this pod, and that this server's
   * key is its delegate.
   * @throws Problem `forbidden` where that is not so, `conflict` for a pod that has another passport, `unavailable`.
   */
  attach(pod: Pod, passport: string): Promise<{ readonly id: PassportId }>;
}

const GROUP = "arriving";

/** Operations that may name another host. */
const NAMING: ReadonlySet<string> = new Set(["rotate", "recover", "transfer"]);

export function createArrival({ store, now, link, hosting, baseUrl, limits, log }: ArrivalDeps): Arrivals {
  async function read(
    given: unknown,
  ): Promise<{ readonly signed: Signed<AuthorityOperation>; readonly id: PassportId }> {
    if (typeof given !== "string" && (typeof given !== "object" || given === null))
      throw invalid("envelope", "There is no signed operation");
    try {
      const { op, sigs } = readSigned(given, limits.operationBytesMax) as Signed<AuthorityOperation>;
      if (!NAMING.has(op?.t) || op.t === "create" || !isPassportId(op.id))
        throw invalid("fields", "A passport comes by a rotate, a recover or a transfer");
      if (op.registrar !== link.registrar)
        throw invalid("sponsored", `The registrar here is ${link.registrar}`);
      if (!(await hosting.isHost(op.delegate?.key, op.id)))
        throw invalid("delegate", "The delegate is not the key that was given for this passport");
      return { signed: { op, sigs }, id: op.id };
    } catch (cause) {
      if (cause instanceof PassportError) throw invalid(cause.rule, cause.detail);
      throw cause;
    }
  }

  async function checkFree(pod: Pod, id: PassportId): Promise<void> {
    const own = await hosting.ofPod(pod.name);
    if (own !== null && own !== id) throw new Problem("conflict", "This pod has another passport");
    const hosted = await store.read(SERVER_POD, (snapshot) => findHosted(snapshot, id));
    if (hosted && hosted.pod !== null && hosted.pod !== pod.name)
      throw new Problem("conflict", "This passport belongs to another pod here");
  }

  /** What the passport said of itself before its keys changed: of that its moves are made. */
  async function rememberBefore(id: PassportId): Promise<DataOperation | null> {
    const data = (await link.find(id))?.data?.op ?? null;
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const entry = await transaction.get("passport", GROUP, id);
      if (entry && !data) return decodeRecord<DataOperation>(entry);
      if (data) transaction.put("passport", GROUP, id, encodeRecord(data));
      return data;
    });
    return result;
  }

  async function takeIn({ op, pod, webid }: Arrival): Promise<{ readonly id: PassportId }> {
    const { signed, id } = await read(op);
    await checkFree(pod, id);
    const before = await rememberBefore(id);
    await link.submit(await sponsorOperation(signed, link.registrar, await serverKey(store, "registrar")));
    await store.write(SERVER_POD, async (transaction) => {
      const hosted = await findHosted(transaction, id);
      if (!link.hasOneHostKey) await adoptDelegate(transaction, signed.op.delegate.key, id);
      const said = before ?? hosted?.said ?? null;
      putHosted(transaction, { id, pod: pod.name, made: hosted?.made ?? now().getTime(), said, link: null });
    });
    await hosting.publish(pod.name, { webid: [webid], storage: `${baseUrl}${pod.name}/` });
    await store.write(SERVER_POD, async (transaction) => transaction.delete("passport", GROUP, id));
    log.info("passport.arrived");
    return { id };
  }

  async function attach(pod: Pod, passport: string): Promise<{ readonly id: PassportId }> {
    if (!isPassportId(passport)) throw new Problem("identifier-invalid");
    await checkFree(pod, passport);
    const known = await link.find(passport);
    const data = known?.data?.op;
    const leadsHere = data?.storage.some(({ url }) => url === `${baseUrl}${pod.name}/`) ?? false;
    const key = known?.state.head.delegate.key ?? "";
    if (!data || !leadsHere || !(await hosting.isHost(key, passport)))
      throw new Problem(
        "forbidden",
        "The passport's owner has not said that this pod is its place and this server its host",
      );
    await store.write(SERVER_POD, async (transaction) => {
      if (!link.hasOneHostKey) await adoptDelegate(transaction, key, passport);
      const hosted = await findHosted(transaction, passport);
      const made = hosted?.made ?? now().getTime();
      putHosted(transaction, { id: passport, pod: pod.name, made, said: data, link: null });
    });
    log.info("passport.arrived");
    return { id: passport };
  }

  return { takeIn, attach };
}
