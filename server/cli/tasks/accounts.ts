/** `freehold account …` and `pod …`: who lives here, letting somebody in by hand, and a forgotten password. */
import { writeFile } from "node:fs/promises";
import { exportRecoveryFile, openPassport } from "@freehold/client/passport";
import type { Account } from "../../account/records.ts";
import type { Context } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import { sizeInWords } from "../../ldp/quota.ts";
import { quotaOf } from "../../store/pods.ts";
import type { Task } from "../task.ts";
import { eraseTask } from "./erase.ts";
import { podNamed } from "./pod-named.ts";

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

async function accountOf({ identity }: Context, pod: string): Promise<Account> {
  const account = (await identity.accounts.list()).find((one) => one.pod === pod);
  if (!account)
    throw new OperatorError(`There is no account of a pod called ${pod}. All: freehold account list`);
  return account;
}

/** Nothing by which anybody could sign in. */
const shownAccount = ({ pod, name, webid, passport, password, passkeys, created, isOperator }: Account) => ({
  pod,
  name,
  webid,
  passport,
  created: new Date(created).toISOString(),
  hasPassword: password !== null,
  passkeys: passkeys.length,
  isOperator: isOperator === true,
});

const passwordOf = (secret: string | null): string => {
  if (secret === null)
    throw new OperatorError(
      "The password is missing. Give it by --password-file or --password-env, or run this at a terminal and type it.",
    );
  return secret;
};

export const accountList: Task = {
  name: "account list",
  usage: "",
  about: "Show who has an account here",
  async run({ identity }) {
    const all = (await identity.accounts.list()).toSorted((a, b) => a.created - b.created);
    const lines = all.map(({ pod, name, created, password, passkeys, isOperator }) => {
      const ways = [...(password === null ? [] : ["password"]), ...(passkeys.length > 0 ? ["passkey"] : [])];
      const operator = isOperator ? ", runs the server" : "";
      return `${pod.padEnd(24)} ${name}, since ${day(created)}, signs in by ${ways.join(" or ")}${operator}`;
    });
    return {
      lines: lines.length > 0 ? lines : ["There are no accounts"],
      exit: 0,
      value: all.map(shownAccount),
    };
  },
};

export const accountAdd: Task = {
  name: "account add",
  usage: "<pod>",
  about: "Open an account with a password; a person who does it alone wants a link: freehold setup-link",
  flags: {
    name: { about: "What the person wants to be called (the pod's name)", takesValue: true },
    "recovery-file": {
      about: "Make a passport, too, and write its keys into this file: they are the person's",
      takesValue: true,
      isPath: true,
    },
  },
  secret: { about: "Password of the account", word: "password", isNew: true, ask: () => true },
  async run(context, { args: [pod = ""], flags, secret }) {
    const { accounts, hosting } = context.identity;
    const name = typeof flags["name"] === "string" ? flags["name"] : pod;
    const password = passwordOf(secret);
    if (!(await accounts.isFree(pod)))
      throw new OperatorError(`The name ${pod} is taken, or is no name for a pod.`);
    const file = flags["recovery-file"];
    let createOp: unknown = null;
    if (typeof file === "string") {
      const passport = await openPassport(await hosting.begin(), context.now());
      // Before the account: keys that are nowhere would be lost for good.
      await writeFile(file, exportRecoveryFile(passport.file), { flag: "wx", mode: 0o600, flush: true });
      ({ createOp } = passport);
    }
    const recoverySaved = createOp !== null;
    const account = await accounts.open({ name, pod, password, passkey: null, createOp, recoverySaved });
    return {
      lines: [
        `${name} has an account: ${account.webid}`,
        account.passport === null
          ? "There is no passport; --recovery-file makes one."
          : `The passport ${account.passport} is made; whoever has ${file} can do everything with it.`,
      ],
      exit: 0,
      value: shownAccount(account),
    };
  },
};

export const accountPassword: Task = {
  name: "account password",
  usage: "<pod>",
  about: "Give an account a new password; whoever is signed in anywhere must do so again",
  secret: { about: "New password of the account", word: "password", isNew: true, ask: () => true },
  async run(context, { args: [pod = ""], secret }) {
    const { accounts, provider } = context.identity;
    const account = await accountOf(context, pod);
    await accounts.setPassword(account, passwordOf(secret));
    await accounts.sessions.endOthers(account.id, ""); // Whoever knew the old one is out, …
    await provider.signOut(account.id); // … also where an app signed them in.
    return {
      lines: [`${account.name} signs in with the name ${pod} and the new password.`],
      exit: 0,
      value: shownAccount(account),
    };
  },
};

export const accountRemove: Task = {
  name: "account remove",
  usage: "<pod>",
  about: "Erase an account with its pod for good, also from older copies; the same as erase",
  flags: eraseTask.flags ?? {},
  async run(context, input, report) {
    await accountOf(context, input.args[0] ?? "");
    return eraseTask.run(context, input, report);
  },
};

export const podList: Task = {
  name: "pod list",
  usage: "",
  about: "Show all pods: their addresses, and how much they hold",
  async run({ pods, store, config }) {
    const all = (await pods.list()).filter(({ erased }) => erased === undefined);
    const value = await Promise.all(
      all.map(async (pod) => ({
        name: pod.name,
        url: `${config.baseUrl}${pod.name}/`,
        owner: pod.owner,
        created: new Date(pod.created).toISOString(),
        movedTo: pod.movedTo ?? null,
        used: await store.usage(pod.id),
        quota: quotaOf(pod, config.limits),
      })),
    );
    const lines = value.map(
      ({ url, used, movedTo }) =>
        `${url.padEnd(40)} ${sizeInWords(used.bytes)} in ${used.resources} documents and folders${movedTo === null ? "" : `, moved to ${movedTo}`}`,
    );
    return { lines: lines.length > 0 ? lines : ["There are no pods"], exit: 0, value };
  },
};

export const podShow: Task = {
  name: "pod show",
  usage: "<pod>",
  about: "Show a pod: its owner, passport, size, who may read what, and what vendors were given",
  async run(context, { args: [name = ""] }) {
    const pod = await podNamed(context, name);
    const { identity, ldp, config, consent, store } = context;
    const account = (await identity.accounts.list()).find((one) => one.pod === name) ?? null;
    const { quota, trash, versions, ...used } = await ldp.quota.usage(pod);
    const { entries } = await identity.accounts.deps.access.overview(pod);
    const grants = (await store.read(pod.id, (snapshot) => consent.grants.list(snapshot))).filter(
      ({ state }) => state === "Active" || state === "Paused",
    );
    const rules = entries.map(({ path, who, modes }) => ({ path, who: who.iri ?? who.kind, modes }));
    const url = `${config.baseUrl}${name}/`;
    return {
      lines: [
        `address   ${url}`,
        `owner     ${pod.owner}${account ? ` (${account.name})` : ""}`,
        `passport  ${account?.passport ?? "none"}`,
        `since     ${day(pod.created)}${pod.movedTo === undefined ? "" : `, moved to ${pod.movedTo}`}`,
        `holds     ${sizeInWords(used.bytes)} of ${sizeInWords(quota.bytes)}, of which trash ${sizeInWords(trash)} and earlier versions ${sizeInWords(versions)}`,
        ...(rules.length > 0 ? ["rules"] : ["rules     nobody but the owner"]),
        ...rules.map(({ path, who, modes }) => `  ${path}  ${who}: ${modes.join(", ")}`),
        `grants    ${grants.length === 0 ? "none" : `${grants.length}; freehold grant list ${name}`}`,
      ],
      exit: 0,
      value: {
        name,
        url,
        owner: pod.owner,
        account: account && shownAccount(account),
        created: new Date(pod.created).toISOString(),
        movedTo: pod.movedTo ?? null,
        used,
        trash,
        versions,
        quota,
        rules,
        grants: grants.map(({ id, state, assignee }) => ({ id, state, assignee })),
      },
    };
  },
};
