/**
 * A vendor's program: resolves passports as every client does, remembers on disk what it saw, and follows old links. Asked and
 * answering by message.
 */
import { createPassportFetch, FreeholdError } from "../../../client-lib/index.ts";
import { fileMemory, filePlaces } from "../../../client-lib/node.ts";

export interface VendorQuestion {
  readonly number: number;
  /** A passport to resolve, or an address to read. */
  readonly about: string;
  readonly resolvers: readonly string[];
}

export interface VendorAnswer {
  readonly number: number;
  /** Where the passport leads, or the status of what was read. */
  readonly found: string;
  readonly aseq: number | null;
  readonly zone: string | null;
}

const [folder = ""] = process.argv.slice(2);
const memory = fileMemory(folder);
const places = filePlaces(folder);

async function answer({ about, resolvers }: VendorQuestion): Promise<Omit<VendorAnswer, "number">> {
  const follow = createPassportFetch({ resolvers, memory, places });
  try {
    if (about.startsWith("http")) {
      const response = await follow(about);
      await response.arrayBuffer();
      return { found: `${response.status} ${response.url}`, aseq: null, zone: null };
    }
    const { pod, passport } = await follow.learn(about);
    return { found: pod, aseq: passport.state.head.seq, zone: passport.state.zone };
  } catch (error) {
    if (!(error instanceof FreeholdError)) throw error;
    return { found: error.code, aseq: null, zone: null };
  }
}

process.on("message", (message: VendorQuestion) => {
  if (message.number !== undefined)
    void answer(message).then((found) => process.send?.({ number: message.number, ...found }));
});
setInterval(() => {}, 60_000);
process.stdout.write("The vendor is ready\n");
