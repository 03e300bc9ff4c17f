/** Consent, put together: what vendors ask for, what the owner decides, what is granted, seen and received. */
import type { Access } from "../access/authorize.ts";
import { parseTarget } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Agent } from "../operation.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { Snapshot, Store, Transaction } from "../store/store.ts";
import { type BreachDeps, type BreachNotices, createBreachNotices } from "./breach.ts";
import { campaignDoors } from "./campaign-doors.ts";
import { type Credentials, createCredentials } from "./credentials/credentials.ts";
import { isCredential, onlyAsking } from "./credentials/terms.ts";
import { createDelivery, type DeliveryDeps } from "./delivery.ts";
import type { ConsentDoor } from "./doors.ts";
import { grantDoors } from "./grant-doors.ts";
import { createGrants, type Grants, type GrantsDeps } from "./grants.ts";
import { createHoney, type HoneyPlaces } from "./honey.ts";
import { createInboxes } from "./inboxes.ts";
import { judge } from "./judging.ts";
import type { Grant, GrantState } from "./model.ts";
import { type Arrive, type ArrivingDeps, createArriving } from "./move/arrive.ts";
import { createLeaving, type Leaving, type LeavingDeps } from "./move/leave.ts";
import { createNotices, type Notices } from "./notices.ts";
import { partyDoors } from "./party-doors.ts";
import { postureDoors } from "./posture-doors.ts";
import { preferenceDoors } from "./preference-doors.ts";
import { createPreviews } from "./previews/previews.ts";
import { type ConsentKeys, createConsentKeys } from "./receipts/keys.ts";
import { createReceipts, type Receipts } from "./receipts/receipts.ts";
import type { SigningKeysDeps } from "./receipts/signing-keys.ts";
import { type RequestDoorsDeps, requestDoors } from "./request-doors.ts";
import { createRequestSweep } from "./request-sweep.ts";
import { createRequests } from "./requests.ts";
import type { Requests, RequestsDeps } from "./requests-port.ts";
import { createVendorKeys, type VendorKeysDeps } from "./vendor-keys.ts";
import type { VendorList } from "./vendors.ts";
import { type ViewDoorsDeps, viewDoors } from "./views/doors.ts";
import { createViews, type Views, type ViewsDeps } from "./views/views.ts";

/** What consent needs of the rest of the server; `context.ts` hands it over. */
export interface ConsentDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pods;
  readonly access: Access;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
  /** What the registry says of vendors. */
  readonly vendors: VendorList;
  readonly record: GrantsDeps["record"] & RequestsDeps["record"];
  /** For notices of what was read. */
  readonly journal: BreachDeps["journal"];
  readonly commit: RequestsDeps["commit"];
  readonly validate: RequestDoorsDeps["validate"];
  readonly isOwnAddress: RequestDoorsDeps["isOwnAddress"];
  /** By what former and future hosts of a pod are believed. */
  readonly passports: { readonly vouch: LeavingDeps["vouch"]; readonly doubt: ArrivingDeps["doubt"] };
  /** How vendors are told. */
  readonly delivery: Omit<DeliveryDeps, "baseUrl">;
  readonly documentOf: VendorKeysDeps["documentOf"];
  readonly changeCard: SigningKeysDeps["changeCard"];
  /** How views choose and evaluate what they are made of. */
  readonly sources: { readonly choose: ViewsDeps["choose"]; readonly check: ViewDoorsDeps["check"] };
}

export interface Consent {
  /** What vendors ask for, and what became of it. */
  readonly requests: Requests;
  /** What is granted, and the counting of its use. */
  readonly grants: Grants;
  /** Of requests and grants. */
  readonly doors: readonly ConsentDoor[];
  /** What vendors are told; to be told itself of each commit. */
  readonly notices: Notices;
  /** Writes down what the clock has done since: to be called hourly. */
  sweep(): Promise<void>;
  /** What the registry says of vendors has changed: to be called then, and at the start. @returns how many grants changed. */
  enforceVendors(signal?: AbortSignal): Promise<number>;
  /** Places that nobody with good reason reads. */
  readonly honey: HoneyPlaces;
  /** What to tell of what was read in some time. */
  readonly breachNotice: BreachNotices;
  /** By which this server signs for its pods. */
  readonly keys: ConsentKeys;
  readonly receipts: Receipts;
  /** What grants give less of than documents. */
  readonly views: Views & { readonly doors: readonly ConsentDoor[] };
  /** What a pod takes along when it moves, and what comes with one. */
  readonly move: { readonly leaving: Leaving; readonly arrive: Arrive };
  /** The same requests and grants as credentials. */
  readonly credentials: Credentials;
  /** Whether the agent has Control of the whole pod, for the owner's doors. */
  isOwner(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<boolean>;
  /** Goes on with what is owed from before the start. Nobody waits for it. */
  begin(): void;
  close(): Promise<void>;
}

export function createConsent(deps: ConsentDeps): Consent {
  const { access, baseUrl, store } = deps;
  const isOwner: Consent["isOwner"] = async (snapshot, pod, agent) => {
    if (agent.webid === null) return false; // Nobody is everybody's owner, whatever a list says.
    const root = parseTarget(`/${pod.name}/`);
    return (await access.authorize(snapshot, pod, agent, root, ["control"])).kind === "granted";
  };
  const keys = createConsentKeys(store, baseUrl);
  const keyOf = createVendorKeys(deps);
  const isInboxOf = createInboxes(deps);
  const notices = createNotices({ ...deps, post: createDelivery({ ...deps.delivery, baseUrl }) });

  /** While the owner may still take a grant back without a trace, its vendor hears nothing of it. */
  async function tell(
    transaction: Transaction,
    pod: Pod,
    grant: Grant,
    before: GrantState | null,
  ): Promise<void> {
    if (grant.inbox === null) return;
    const { id, state, heldUntil } = grant;
    const object = grants.urlOf(pod, id);
    const isHeld = heldUntil !== null && heldUntil > deps.now().getTime();
    if (isHeld) await notices.withdraw(transaction, object);
    if (isHeld && state === "Revoked") return;
    const isNew = before === null || (isHeld && state === "Active");
    const types = isNew ? ["Create"] : state === "Revoked" ? ["Update", "Undo"] : ["Update"];
    notices.add(transaction, pod, grant.inbox, {
      types,
      object,
      objectType: "AccessGrant",
      state,
      from: isHeld ? heldUntil : null,
    });
  }

  const grants = createGrants({ ...deps, changed: tell });
  const requests = createRequests({
    ...deps,
    grants,
    notices,
    async judge(snapshot, _pod, request, others, isAsking) {
      const verdict = await judge(snapshot, request, others, isAsking, deps.now().getTime());
      return isCredential(request) ? onlyAsking(verdict, request) : verdict;
    },
  });
  const honey = createHoney(deps);
  const breachNotice = createBreachNotices({ ...deps, grants });
  const viewsDeps = { ...deps, ...deps.sources, isOwner };
  const views = createViews(viewsDeps);
  const previews = createPreviews({ ...deps, choose: deps.sources.choose, views });
  const sweepRequests = createRequestSweep({ ...deps, requests });
  return {
    requests,
    grants,
    honey,
    breachNotice,
    doors: [
      ...requestDoors({ ...deps, requests, previews, isOwner, keyOf, isInboxOf }),
      ...grantDoors({ ...deps, grants, notices, previews, isOwner, isInboxOf }),
      ...preferenceDoors({ ...deps, grants, notices, requests, isOwner }),
      ...partyDoors({ ...deps, grants, requests, isOwner }),
      ...campaignDoors({ ...deps, grants }),
      ...postureDoors({ ...deps, grants, honey, breachNotice, isOwner }),
    ],
    notices,
    async sweep() {
      await grants.sweep();
      for (const pod of await deps.pods.list())
        if (pod.erased === undefined && pod.movedTo === undefined) await sweepRequests(pod);
    },
    enforceVendors: (signal) =>
      grants.enforceVendors({ commit: deps.commit, enlist: (pod) => notices.enlist(pod) }, signal),
    keys,
    credentials: createCredentials({
      ...deps,
      grants,
      requests,
      notices,
      isOwner,
      isInboxOf,
      sign: (...said) => keys.sign(...said),
    }),
    receipts: createReceipts({ ...deps, grants, keys, keyOf, isOwner }),
    move: {
      leaving: createLeaving({
        baseUrl,
        keys,
        vouch: deps.passports.vouch,
        receiptsPerGrantMax: deps.limits.receiptsPerGrantMax,
      }),
      arrive: createArriving({
        ...deps,
        grants,
        enlist: (pod) => notices.enlist(pod),
        doubt: deps.passports.doubt,
      }),
    },
    views: { ...views, doors: viewDoors(viewsDeps) },
    isOwner,
    begin: () => notices.begin(),
    close: async () => void (await Promise.all([notices.close(), views.close()])),
  };
}
