/**
 * What whoever runs the server does at its pages: accounts, invitations, long work, backups, log and health. No door here
 * reads what is in a pod, or names a place in one: of a pod there is its name, how full it is, and whether it is frozen.
 */
import { Problem } from "../errors.ts";
import type { DoorRequest } from "../operation.ts";
import { type Pod, quotaOf } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, createGuards, done, NAME_MAX } from "./guards.ts";
import type { Input } from "./input.ts";
import type { ConsentedApps } from "./owner.ts";
import type { Account } from "./records.ts";

/** What a browser saw of the way to the server. */
export interface SeenByBrowser {
  readonly token: string;
  readonly asked: string;
  /** Null: a WebSocket opened; undefined: it did not try. */
  readonly socket: string | null | undefined;
  /** Its clock, milliseconds since 1970. */
  readonly deviceTime: number;
}

/** What the server does for whoever runs it; `server/cli/desk.ts` has it do the tasks of the command line. */
export interface HostingDesk {
  isFrozen(pod: Pod): Promise<boolean>;
  freeze(pod: Pod, isFrozen: boolean): Promise<void>;
  /** Begins long work, which is then among the jobs. @throws Problem `conflict` while the same is under way. */
  begin(
    work: { readonly task: "backup" | "scrub" } | { readonly task: "erase"; readonly pod: string },
  ): Promise<void>;
  /** @param name Of a backup's file, as the list has it. @throws Problem `not-found`, `conflict`. */
  beginProof(name: string): Promise<void>;
  jobs(): readonly object[];
  backups(): Promise<object>;
  /** @param least Of the lines' levels. */
  log(least: "info" | "warn" | "error"): object;
  health(): Promise<object>;
  probe(): { readonly token: string; readonly path: string };
  /** @param seen Null: the server looks at its own address by itself. */
  diagnose(seen: SeenByBrowser | null): Promise<object>;
}

const DAY_MS = 86_400_000;
const INVITATION_DAYS_MAX = 90;
const ACCOUNTS_PER_PAGE = 50;
const QUOTA_BYTES_LEAST = 1_000_000; // Less than this holds not even what a new pod begins with.

/** A whole number within bounds. */
function numberOf(input: Input, field: string, least: number, most: number): number {
  const value = input.raw(field);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most)
    return value;
  input.fault(field, `Send a whole number from ${least} to ${most}`);
  return least;
}

/** Whether a request is by whoever runs the server: all others get the answer of an address that is none. */
export const createIsOperator =
  (accounts: Pick<AccountService, "signedIn">) =>
  async ({ headers }: Pick<DoorRequest, "headers">): Promise<boolean> =>
    (await accounts.signedIn(headers))?.account.isOperator === true;

/** @param apps What the identity provider knows of apps that were let in. */
export function hostingDoors(
  accounts: AccountService,
  apps: Pick<ConsentedApps, "signOut">,
  desk: HostingDesk,
): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods, store, limits } = accounts.deps;

  async function found(name: string): Promise<{ readonly account: Account; readonly pod: Pod }> {
    const pod = await pods.find(name);
    const account = (await accounts.list()).find((one) => one.pod === name);
    if (!pod || !account || pod.erased !== undefined)
      throw new Problem("not-found", "There is no such account");
    return { account, pod };
  }

  async function rowOf(account: Account, me: Account): Promise<object | null> {
    const pod = await pods.find(account.pod);
    if (!pod) return null;
    const isErased = pod.erased !== undefined;
    const [usage, isFrozen, sessions] = await Promise.all([
      isErased ? { bytes: 0, resources: 0 } : store.usage(pod.id),
      isErased ? false : desk.isFrozen(pod),
      accounts.sessions.list(account.id),
    ]);
    return {
      name: account.name,
      pod: account.pod,
      created: account.created,
      seen: sessions.length === 0 ? null : Math.max(...sessions.map(({ seen }) => seen)),
      sessions: sessions.length,
      state: isErased ? "erased" : pod.movedTo !== undefined ? "moved" : isFrozen ? "frozen" : "open",
      bytes: usage.bytes,
      resources: usage.resources,
      quota: quotaOf(pod, limits),
      hasOwnQuota: pod.quota !== undefined,
      isOperator: account.isOperator === true,
      isYou: account.id === me.id,
    };
  }

  const path = (rest: string): string => `/.account/hosting/${rest}`;

  return [
    {
      verb: "get",
      path: path("accounts"),
      door: guards.operator(async ({ account: me }, { url }) => {
        const exact = url.searchParams.get("pod");
        const wanted = (url.searchParams.get("q") ?? "").trim().toLowerCase().slice(0, NAME_MAX);
        const from = Math.max(0, Math.floor(Number(url.searchParams.get("from") ?? 0)) || 0);
        const all = (await accounts.list()).filter(({ name, pod }) =>
          exact === null
            ? wanted === "" || pod.includes(wanted) || name.toLowerCase().includes(wanted)
            : pod === exact,
        );
        const rows = await Promise.all(
          all.slice(from, from + ACCOUNTS_PER_PAGE).map((account) => rowOf(account, me)),
        );
        const next = from + ACCOUNTS_PER_PAGE;
        return done({
          accounts: rows.filter((row) => row !== null),
          total: all.length,
          next: next < all.length ? next : null,
          standard: { bytes: limits.podBytesMax, resources: limits.podResourcesMax },
        });
      }),
    },
    {
      verb: "post",
      path: path("accounts/:pod/freeze"),
      door: guards.operateProved(async (_who, input, { params }) => {
        const { pod } = await found(params["pod"] ?? "");
        const isFrozen = input.raw("frozen");
        if (typeof isFrozen !== "boolean") input.fault("frozen", "Send true or false");
        input.done();
        await desk.freeze(pod, isFrozen === true);
        return done();
      }),
    },
    {
      verb: "post",
      path: path("accounts/:pod/quota"),
      door: guards.operate(async (_who, input, { params }) => {
        const { pod } = await found(params["pod"] ?? "");
        if (input.raw("bytes") === null) {
          await pods.change(pod.name, { quota: undefined });
          return done();
        }
        const bytes = numberOf(input, "bytes", QUOTA_BYTES_LEAST, Number.MAX_SAFE_INTEGER);
        const resources =
          input.raw("resources") === undefined
            ? quotaOf(pod, limits).resources
            : numberOf(input, "resources", 1, Number.MAX_SAFE_INTEGER);
        input.done();
        await pods.change(pod.name, { quota: { bytes, resources } });
        return done();
      }),
    },
    {
      verb: "post",
      path: path("accounts/:pod/sign-out"),
      door: guards.operateProved(async ({ session }, _input, { params }) => {
        const { account } = await found(params["pod"] ?? "");
        // Their own way in stays open: it is by this that they act.
        await accounts.sessions.endOthers(account.id, account.id === session.accountId ? session.id : "");
        await apps.signOut(account.id);
        return done();
      }),
    },
    {
      verb: "post",
      path: path("accounts/:pod/erase"),
      door: guards.operateProved(async ({ account: me }, input, { params }) => {
        const { account, pod } = await found(params["pod"] ?? "");
        if (account.id === me.id)
          throw new Problem("conflict", "This is your own account; erase it in the room Take along or leave");
        if (input.text("confirm", 1, 100) !== pod.name)
          input.fault("confirm", "Type the name of the pod, to be sure that it is this one");
        input.done();
        await desk.begin({ task: "erase", pod: pod.name });
        return done();
      }),
    },
    {
      verb: "get",
      path: path("invitations"),
      door: guards.operator(async () => done({ invitations: await accounts.invitations.invitations() })),
    },
    {
      verb: "post",
      path: path("invitations"),
      door: guards.operateProved(async (_who, input) => {
        const name = input.text("name", 1, NAME_MAX);
        const days = numberOf(input, "days", 1, INVITATION_DAYS_MAX);
        input.done();
        return done(await accounts.invite(name, days * DAY_MS));
      }),
    },
    {
      verb: "post",
      path: path("invitations/:id/withdraw"),
      door: guards.operate(async (_who, _input, { params }) => {
        if (!(await accounts.invitations.withdraw(params["id"] ?? "")))
          throw new Problem("not-found", "There is no such invitation any more");
        return done();
      }),
    },
    { verb: "get", path: path("jobs"), door: guards.operator(async () => done({ jobs: desk.jobs() })) },
    {
      verb: "post",
      path: path("jobs"),
      door: guards.operate(async (_who, input) => {
        const task = input.choice("what", ["backup", "scrub"]);
        input.done();
        await desk.begin({ task: task ?? "scrub" });
        return done();
      }),
    },
    { verb: "get", path: path("backups"), door: guards.operator(async () => done(await desk.backups())) },
    {
      verb: "post",
      path: path("backups/verify"),
      door: guards.operate(async (_who, input) => {
        const name = input.text("name", 1, 200);
        input.done();
        await desk.beginProof(name);
        return done();
      }),
    },
    {
      verb: "get",
      path: path("log"),
      door: guards.operator(async (_who, { url }) => {
        const asked = url.searchParams.get("least") ?? "info";
        const least = (["info", "warn", "error"] as const).find((level) => level === asked);
        if (!least) throw new Problem("input-invalid", "least is one of info, warn and error");
        return done(desk.log(least));
      }),
    },
    { verb: "get", path: path("health"), door: guards.operator(async () => done(await desk.health())) },
    { verb: "post", path: path("probe"), door: guards.operate(async () => done(desk.probe())) },
    {
      verb: "post",
      path: path("diagnostics"),
      door: guards.operate(async (_who, input) => {
        if (input.raw("token") === undefined) return done(await desk.diagnose(null));
        const socket = input.raw("socket");
        const seen: SeenByBrowser = {
          token: input.text("token", 1, 100),
          asked: input.text("asked", 1, limits.urlBytesMax),
          socket: socket === null || socket === undefined ? socket : "it was refused",
          deviceTime: numberOf(input, "deviceTime", 0, Number.MAX_SAFE_INTEGER),
        };
        input.done();
        return done(await desk.diagnose(seen));
      }),
    },
  ];
}
