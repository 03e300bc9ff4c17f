/** Files from elsewhere, for the owner's page: looked at first, brought in, listed, and taken back whole. */
import { chunksOf } from "../body.ts";
import { Problem } from "../errors.ts";
import type { DoorRequest, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { parseOwnPath } from "./contents.ts";
import { type AccountDoor, createGuards, done, type SignedIn } from "./guards.ts";
import { told } from "./told.ts";

type Report = (progress: object) => void;

/** `server/import/` does this. */
export interface OwnerImports {
  preview(pod: Pod, name: string, content: AsyncIterable<Uint8Array>): Promise<object>;
  run(pod: Pod, name: string, content: AsyncIterable<Uint8Array>, report: Report): Promise<object>;
  list(pod: Pod): Promise<object>;
  undo(pod: Pod, path: string, report: Report): Promise<object>;
}

const FILE_NAME_MAX = 200; // Characters of what the person calls the file.

/** @throws Problem `unsupported-media-type`, `input-invalid`. */
function fileIn({ headers, url, body }: DoorRequest): { name: string; content: AsyncIterable<Uint8Array> } {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/octet-stream")
    throw new Problem("unsupported-media-type", "Send the file as application/octet-stream");
  if (!body) throw new Problem("input-invalid", "There is no file");
  return { name: (url.searchParams.get("name") ?? "").slice(0, FILE_NAME_MAX), content: chunksOf(body) };
}

export function importDoors(accounts: AccountService, imports: OwnerImports): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods, limits, log } = accounts.deps;

  async function podOf({ account }: SignedIn): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod || pod.erased !== undefined) throw new Problem("not-found", "The pod of this account is gone");
    return pod;
  }

  const lines = (request: DoorRequest, run: (report: Report) => Promise<object>): Result => ({
    status: 200,
    headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
    body: told(run, (cause) => log.error("import.failed", { id: request.id, cause })),
  });

  return [
    {
      verb: "get",
      path: "/.account/imports",
      door: guards.see(async (who) => done(await imports.list(await podOf(who)))),
    },
    {
      verb: "post",
      path: "/.account/imports/preview",
      door: guards.remove(async (who, request) => {
        const pod = await podOf(who);
        const { name, content } = fileIn(request);
        return done(await imports.preview(pod, name, content));
      }),
    },
    {
      verb: "post",
      path: "/.account/imports",
      door: guards.remove(async (who, request) => {
        const pod = await podOf(who);
        const { name, content } = fileIn(request);
        return lines(request, (report) => imports.run(pod, name, content, report));
      }),
    },
    {
      verb: "post",
      path: "/.account/imports/undo",
      door: guards.own(async (who, input, request) => {
        const pod = await podOf(who);
        const path = parseOwnPath(input.text("path", 1, limits.urlBytesMax), pod);
        input.done();
        return lines(request, (report) => imports.undo(pod, path, report));
      }),
    },
  ];
}
