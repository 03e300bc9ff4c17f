/** Taking everything and leaving, for the owner's page: the whole pod as a file, a file brought in, and where one has gone. */
import { chunksOf } from "../body.ts";
import { Problem } from "../errors.ts";
import type { DoorRequest } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, createGuards, done, type SignedIn } from "./guards.ts";
import { told } from "./told.ts";

interface ImportOptions {
  readonly present: "refuse" | "keep" | "replace";
  readonly consents: "go-on" | "rest" | "leave";
  readonly from?: string;
  readonly lists: boolean;
}

interface Moved {
  readonly pod: Pod;
  readonly passport: "updated" | "owner-must-sign" | "none";
}

/** `server/transfer/` does this. */
export interface OwnerTransfer {
  exportPod(pod: Pod): { readonly fileName: string; readonly content: AsyncIterable<Uint8Array> };
  /** Resolves when the content is all there; what it resolves with does the rest. */
  importUpload(
    pod: Pod,
    content: AsyncIterable<Uint8Array>,
    options: ImportOptions,
  ): Promise<(report: (progress: object) => void) => Promise<object>>;
  readonly moves: { move(pod: Pod, root: string): Promise<Moved>; undo(pod: Pod): Promise<Moved> };
}

/** Records what the owner did. */
export type RecordDeed = (pod: Pod, deed: { readonly act: "export" | "import" | "move" }) => Promise<void>;

const PRESENT = ["refuse", "keep", "replace"] as const;
const CONSENTS = ["go-on", "rest", "leave"] as const;

function optionsOf({ url }: DoorRequest): ImportOptions {
  const asked = url.searchParams;
  const present = PRESENT.find((choice) => choice === (asked.get("present") ?? "refuse"));
  if (!present) throw new Problem("input-invalid", `present is one of ${PRESENT.join(", ")}`);
  const from = asked.get("from");
  if (from !== null && !/^https?:\/\/[^?#]+\/$/.test(from))
    throw new Problem("input-invalid", "from is the address of a pod, such as https://example.org/ana/");
  const consents = CONSENTS.find((choice) => choice === (asked.get("consents") ?? "go-on"));
  if (!consents) throw new Problem("input-invalid", `consents is one of ${CONSENTS.join(", ")}`);
  return { present, consents, lists: asked.get("lists") !== "off", ...(from !== null && { from }) };
}

export function transferDoors(
  accounts: AccountService,
  transfer: OwnerTransfer,
  record: RecordDeed,
): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods, config, log } = accounts.deps;

  async function podOf({ account }: SignedIn): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod || pod.erased !== undefined) throw new Problem("not-found", "The pod of this account is gone");
    return pod;
  }

  const stateOf = (pod: Pod): object => ({
    root: `${config.baseUrl}${pod.name}/`,
    movedTo: pod.movedTo ?? null,
  });

  return [
    {
      verb: "get",
      path: "/.account/export",
      // From our own page only, and soon after signing in: it is everything there is.
      door: guards.remove(async (who) => {
        guards.requireProof(who);
        const pod = await podOf(who);
        const { fileName, content } = transfer.exportPod(pod);
        await record(pod, { act: "export" });
        return {
          status: 200,
          headers: {
            "content-type": "application/zip",
            "content-disposition": `attachment; filename="${fileName}"`,
            "cache-control": "no-store",
            "cross-origin-resource-policy": "same-origin",
            "x-content-type-options": "nosniff",
          },
          body: content,
        };
      }),
    },
    {
      verb: "post",
      path: "/.account/import",
      door: guards.remove(async (who, request) => {
        guards.requireProof(who);
        const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
        if (type !== "application/zip" && type !== "application/octet-stream")
          throw new Problem("unsupported-media-type", "Send the file as application/zip");
        const pod = await podOf(who);
        const options = optionsOf(request);
        if (!request.body) throw new Problem("input-invalid", "There is no file");
        const run = await transfer.importUpload(pod, chunksOf(request.body), options);
        await record(pod, { act: "import" });
        return {
          status: 200,
          headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
          body: told(run, (cause) => log.error("import.failed", { id: request.id, cause })),
        };
      }),
    },
    {
      verb: "get",
      path: "/.account/moved",
      door: guards.see(async (who) => done(stateOf(await podOf(who)))),
    },
    {
      verb: "post",
      path: "/.account/moved",
      door: guards.proved(async (who, input) => {
        const pod = await podOf(who);
        const to = input.raw("to") === null ? null : input.text("to", 1, 2_048); // Null: it is here again.
        input.done();
        const moved = to === null ? await transfer.moves.undo(pod) : await transfer.moves.move(pod, to);
        await record(pod, { act: "move" });
        return done({ ...stateOf(moved.pod), passport: moved.passport });
      }),
    },
  ];
}
