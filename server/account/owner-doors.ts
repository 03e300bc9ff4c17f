/** The owner's own pod: what is in it, who can see it, apps that were let in, and changing that. */
import { Problem } from "../errors.ts";
import type { Mode } from "../operation.ts";
import { parseReach } from "../reach.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { parseOwnPath, readFolder } from "./contents.ts";
import { type AccountDoor, done, type Guards } from "./guards.ts";
import { purposeLabel } from "./journal-words.ts";
import { type ConsentedApps, createUndos, isCard, labelOf, parseWho } from "./owner.ts";
import type { Account } from "./records.ts";

const MODES: readonly Mode[] = ["read", "append", "write", "control"];

/** Doors to the own pod of who is signed in; a path of another pod is not found. */
export function ownerDoors(
  accounts: AccountService,
  apps: ConsentedApps,
  guards: Guards,
): readonly AccountDoor[] {
  const { limits, now, pods, store, access } = accounts.deps;
  const undos = createUndos(now, limits);

  async function podOf(account: Account): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod) throw new Problem("not-found", "The pod of this account is gone");
    return pod;
  }

  return [
    {
      verb: "get",
      path: "/.account/apps",
      door: guards.see(async ({ account }) => {
        const found = await apps.consentedApps(account.id);
        return done({
          apps: found.map(({ grantId, clientId, reach, ...app }) => ({
            id: grantId,
            client: clientId,
            ...app,
            ...reach,
          })),
        });
      }),
    },
    {
      verb: "post",
      path: "/.account/apps/:id",
      door: guards.own(async ({ account }, input, { params }) => {
        const reach = parseReach(input.raw("folders"), input.raw("modes"), ({ detail, at = "" }) =>
          input.fault(at.slice(1), detail),
        );
        input.done();
        if (!(await apps.narrow(account.id, params["id"] ?? "", reach)))
          throw new Problem("not-found", "There is no such app");
        return done(reach);
      }),
    },
    {
      verb: "delete",
      path: "/.account/apps/:id",
      door: guards.remove(async ({ account }, { params }) => {
        if (!(await apps.revoke(account.id, params["id"] ?? "")))
          throw new Problem("not-found", "There is no such app");
        return done();
      }),
    },
    {
      verb: "get",
      path: "/.account/overview",
      door: guards.see(async ({ account }) => {
        const pod = await podOf(account);
        const [found, root, size, letIn] = await Promise.all([
          access.overview(pod),
          readFolder(store, pod, `/${pod.name}/`, limits),
          store.usage(pod.id),
          apps.consentedApps(account.id),
        ]);
        const all = [...found.entries, ...found.consents];
        const names = await accounts.namesOf(all.flatMap(({ who }) => who.iri ?? []));
        const entries = found.entries.map((entry) => ({
          ...entry,
          who: { ...entry.who, label: labelOf(entry.who, names) },
          card: isCard(pod, entry),
        }));
        return done({
          people: found.people,
          isPublic: entries.some(
            ({ who, card }) => (who.kind === "public" || who.kind === "signed-in") && !card,
          ),
          entries,
          consents: found.consents.map(({ who, purposes, ...consent }) => ({
            ...consent,
            who: { ...who, label: labelOf(who, names) },
            purposes: purposes.map(purposeLabel),
          })),
          lists: found.lists,
          isAdding: found.isAdding,
          apps: letIn.length,
          items: root.items,
          resources: size.resources,
          bytes: size.bytes,
        });
      }),
    },
    {
      verb: "get",
      path: "/.account/folder",
      door: guards.see(async ({ account }, { url }) => {
        const pod = await podOf(account);
        return done(
          await readFolder(
            store,
            pod,
            parseOwnPath(url.searchParams.get("path") ?? `/${pod.name}/`, pod),
            limits,
            url.searchParams.get("after"),
          ),
        );
      }),
    },
    {
      verb: "post",
      path: "/.account/access/revoke",
      door: guards.own(async ({ account }, input) => {
        const pod = await podOf(account);
        const path =
          input.raw("path") === undefined
            ? null
            : parseOwnPath(input.text("path", 1, limits.urlBytesMax), pod);
        const who = parseWho(input.raw("who"));
        input.done();
        const change = await access.revoke(pod, who, path);
        return done({ places: change.places, undo: undos.keep(account.id, change) });
      }),
    },
    {
      verb: "post",
      path: "/.account/access/grant",
      door: guards.own(async ({ account }, input) => {
        const pod = await podOf(account);
        const path = parseOwnPath(input.text("path", 1, limits.urlBytesMax), pod);
        const who = parseWho(input.raw("who"));
        const modes = input.list("modes").flatMap((asked) => MODES.filter((mode) => mode === asked));
        if (modes.length === 0) input.fault("modes", `Send one or more of ${MODES.join(", ")}`);
        if (who.iri === account.webid) input.fault("who", "You already have full access to your own pod");
        input.done();
        const change = await access.grant(pod, who, path, [...new Set(modes)]);
        return done({ places: change.places, undo: undos.keep(account.id, change) });
      }),
    },
    {
      verb: "post",
      path: "/.account/access/undo",
      door: guards.own(async ({ account }, input) => {
        const id = input.text("undo", 1, 100);
        input.done();
        await undos.run(account.id, id);
        return done();
      }),
    },
  ];
}
