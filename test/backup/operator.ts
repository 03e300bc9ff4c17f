/** An operator at the command line: a folder with a person's data, a shelf for backups, and the flags that name both. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listShelf } from "../../server/backup/shelf.ts";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { type Config, readConfig } from "../../server/config.ts";
import type { Context } from "../../server/context.ts";
import { freehold, type Program, quietPort } from "../support/process.ts";

export const PASSPHRASE = "a passphrase for the command line";

export interface Operator {
  /** Where a name of this operator's lies. */
  at(name: string): string;
  /** Where backups go. */
  readonly shelf: string;
  readonly port: string;
  config(name: string): Config;
  flags(name: string): string[];
  run(name: string, ...words: string[]): Program["ended"];
  /** Whole backups on the shelf. */
  whole(): ReturnType<typeof listShelf>;
  remove(): Promise<void>;
}

/** @param look What to note of the server with its data, in folder `data`, before it stops. */
export async function openOperator(
  files: number,
  look: (context: Context) => Promise<void> = async () => {},
): Promise<Operator> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-operator-"));
  const at = (name: string): string => join(folder, name);
  const shelf = at("backups");
  const port = await quietPort();
  const config = (name: string): Config =>
    readConfig({
      FREEHOLD_DATA: at(name),
      FREEHOLD_PORT: port,
      FREEHOLD_BASE_URL: `http://localhost:${port}/`,
    });
  const flags = (name: string): string[] =>
    `--data ${at(name)} --port ${port} --base-url http://localhost:${port}/ --backup-folder ${shelf} --backup-passphrase-file ${at("passphrase")} --backup-every off`.split(
      " ",
    );
  await writeFile(at("passphrase"), PASSPHRASE);
  const server = await serve(config("data"), () => {});
  const { context } = server;
  await createPerson(context, { name: "Ana", podName: "ana", password: "a long password of Ana" });
  const pod = await context.pods.find("ana");
  if (!pod) throw new Error("no pod");
  const bytes = Buffer.alloc(200_000, "x");
  for (let file = 0; file < files; file += 1)
    await context.writeDocuments(pod, [{ path: `/ana/${file}.txt`, contentType: "text/plain", bytes }]);
  await look(context);
  await server.close();
  return {
    at,
    shelf,
    port,
    config,
    flags,
    run: (name, ...words) => freehold([...words, ...flags(name)]).ended,
    whole: async () => (await listShelf(shelf)).filter(({ what }) => what === "all"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
