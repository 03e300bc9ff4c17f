/** For every rule at least one operation that breaks this rule and none above it: long, for it is a table. */
import { encodeBase64url } from "../../client-lib/passport/bytes.ts";
import {
  applyOperation,
  type Candidate,
  encodeKey,
  hashOfKey,
  hashSetOf,
  type KeyPair,
  keySetOf,
  makeRotate,
  type PassportState,
  type Signed,
  signAsDelegate,
  signOperation,
  sponsorOperation,
} from "../../client-lib/passport/index.ts";
import { candidate, forge, key, type Person, person, type Vector } from "./people.ts";
import { CHANGE_VECTORS } from "./vectors-of-changes.ts";
import { REGISTRY_VECTORS } from "./vectors-of-registry.ts";

type Fields = Record<string, unknown>;

/** The create, changed and signed again by the same keys, so that only the change can be wrong. */
const created =
  (change: (op: Fields) => Fields) =>
  async (ana: Person): Promise<Candidate> => {
    const op = {
      ...ana.create.op,
      ...change(ana.create.op as unknown as Fields),
    } as unknown as typeof ana.create.op;
    return candidate(await signOperation(op, ana.create.op.auth, ana.keys.authority), null);
  };

const rotated =
  (change: (op: Fields, ana: Person) => Fields | Promise<Fields>, signers?: readonly KeyPair[]) =>
  async (ana: Person): Promise<Candidate> => {
    const op = {
      ...ana.rotate.op,
      ...(await change(ana.rotate.op as unknown as Fields, ana)),
    } as unknown as typeof ana.rotate.op;
    return candidate(
      await signOperation(op, signers ? op.auth : ana.rotate.op.auth, signers ?? ana.keys.next),
      ana.state,
    );
  };

const recorded =
  (change: (op: Fields, ana: Person) => Fields, registry = false) =>
  async (ana: Person): Promise<Candidate> => {
    const op = {
      ...ana.data.op,
      ...change(ana.data.op as unknown as Fields, ana),
    } as unknown as typeof ana.data.op;
    return candidate(await signAsDelegate(op, ana.host), ana.state, registry ? ana.facts : undefined);
  };

const without = (op: object, name: string): Fields =>
  Object.fromEntries(Object.entries(op).filter(([field]) => field !== name));
const storage = (url: string) => recorded(() => ({ storage: [{ id: "#pod", url }] }));
const zeros = encodeBase64url(new Uint8Array(32));
/** The point of order one: as a key it would verify for any message. */
const SMALL_KEY = encodeKey(new Uint8Array(32).with(0, 1));

async function both(ana: Person, change: (signed: Signed) => unknown): Promise<Candidate> {
  return candidate(forge(change(ana.create)), null);
}

/** Two keys of which both must sign. */
async function two(): Promise<{ keys: readonly KeyPair[]; state: PassportState; signed: Signed }> {
  const bea = await person("bea", { authority: 3, next: 3, recovery: 3 });
  return { keys: bea.keys.next, state: bea.state, signed: bea.rotate };
}

const VECTORS_OF_ONE: readonly Vector[] = [
  {
    rule: "envelope",
    name: "a member beside op and sigs",
    make: (ana) => both(ana, (signed) => ({ ...signed, note: "hello" })),
  },
  { rule: "envelope", name: "no signatures at all", make: (ana) => both(ana, ({ op }) => ({ op })) },
  {
    rule: "envelope",
    name: "an operation that is a list",
    make: (ana) => both(ana, ({ sigs }) => ({ op: [], sigs })),
  },
  { rule: "size", name: "more than 2,048 bytes", make: created(() => ({ nonce: "A".repeat(2_048) })) },
  { rule: "version", name: "v 2", make: created(() => ({ v: 2 })) },
  { rule: "version", name: "v as text", make: created(() => ({ v: "1" })) },
  { rule: "type", name: "an operation that does not exist", make: created(() => ({ t: "takeover" })) },
  { rule: "type", name: "an operation of a later version", make: rotated(() => ({ t: "merge" })) },
  { rule: "fields", name: "a rotate that is called a recover", make: rotated(() => ({ t: "recover" })) },
  { rule: "type", name: "a name every object has", make: rotated(() => ({ t: "constructor" })) },
  { rule: "fields", name: "an unknown field", make: created(() => ({ colour: "red" })) },
  {
    rule: "fields",
    name: "a missing nonce",
    make: async (ana) => candidate(forge({ ...ana.create, op: without(ana.create.op, "nonce") }), null),
  },
  { rule: "fields", name: "a rotate with a zone", make: rotated(() => ({ zone: "zz" })) },
  { rule: "zone", name: "an upper-case zone", make: created(() => ({ zone: "CH" })) },
  { rule: "zone", name: "a zone of three letters", make: created(() => ({ zone: "che" })) },
  { rule: "id", name: "an id in upper case", make: rotated(({ id }) => ({ id: String(id).toUpperCase() })) },
  {
    rule: "id",
    name: "a DID instead of an id",
    make: recorded(({ id }) => ({ id: `did:dcann:${String(id)}` })),
  },
  { rule: "sequence-form", name: "a create that is not the first", make: created(() => ({ seq: 1 })) },
  { rule: "sequence-form", name: "a rotate with seq 0", make: rotated(() => ({ seq: 0 })) },
  { rule: "sequence-form", name: "half a number", make: rotated(() => ({ seq: 1.5 })) },
  { rule: "sequence-form", name: "dseq as text", make: recorded(() => ({ dseq: "1" })) },
  { rule: "prev-form", name: "a create with a past", make: created(() => ({ prev: zeros })) },
  {
    rule: "prev-form",
    name: "padding in a hash",
    make: rotated(({ prev }) => ({ prev: `${String(prev)}=` })),
  },
  {
    rule: "prev-form",
    name: "loose bits at the end of a hash",
    make: rotated(() => ({ prev: `${zeros.slice(0, -1)}B` })),
  },
  {
    rule: "prev-form",
    name: "a hash of base64 instead of base64url",
    make: rotated(() => ({ prev: `+${zeros.slice(1)}` })),
  },
  {
    rule: "auth",
    name: "a threshold of 0",
    make: created(({ auth }) => ({ auth: { ...(auth as Fields), threshold: 0 } })),
  },
  {
    rule: "auth",
    name: "a threshold beyond the keys",
    make: created(({ auth }) => ({ auth: { ...(auth as Fields), threshold: 2 } })),
  },
  { rule: "auth", name: "no keys", make: created(() => ({ auth: { keys: [], threshold: 1 } })) },
  {
    rule: "auth",
    name: "the same key twice",
    make: created(({ auth }) => ({
      auth: { keys: Array(2).fill((auth as { keys: string[] }).keys[0]), threshold: 2 },
    })),
  },
  {
    rule: "auth",
    name: "a key of small order",
    make: created(() => ({ auth: { keys: [SMALL_KEY], threshold: 1 } })),
  },
  {
    rule: "auth",
    name: "a key of another kind",
    make: created(() => ({ auth: { keys: [`zDn${"a".repeat(45)}`], threshold: 1 } })),
  },
  { rule: "next", name: "no promise at all", make: created(() => ({ next: { hashes: [], threshold: 1 } })) },
  {
    rule: "next",
    name: "the same promise twice",
    make: created(() => ({ next: { hashes: [zeros, zeros], threshold: 1 } })),
  },
  {
    rule: "recovery",
    name: "no delay",
    make: created(({ recovery }) => ({ recovery: without(recovery as object, "delay") })),
  },
  {
    rule: "recovery",
    name: "a delay of a year",
    make: created(({ recovery }) => ({ recovery: { ...(recovery as Fields), delay: "P365D" } })),
  },
  {
    rule: "recovery",
    name: "a delay of no days",
    make: created(({ recovery }) => ({ recovery: { ...(recovery as Fields), delay: "P0D" } })),
  },
  {
    rule: "delegate",
    name: "a delegate who may rotate",
    make: created(({ delegate }) => ({ delegate: { ...(delegate as Fields), may: ["data", "rotate"] } })),
  },
  { rule: "delegate", name: "no delegate", make: created(() => ({ delegate: null })) },
  {
    rule: "delegate-apart",
    name: "a host that holds an authority key",
    make: (ana) => created(() => ({ delegate: { key: ana.keys.authority[0]?.key, may: ["data"] } }))(ana),
  },
  {
    rule: "delegate-apart",
    name: "a host that holds the next key",
    make: (ana) => created(() => ({ delegate: { key: ana.keys.next[0]?.key, may: ["data"] } }))(ana),
  },
  {
    rule: "next-fresh",
    name: "a next key that is today's key",
    make: async (ana) => {
      const next = await hashSetOf(ana.keys.authority);
      return created(() => ({ next }))(ana);
    },
  },
  {
    rule: "next-fresh",
    name: "a rotate back to the key before",
    make: rotated(async (_, ana) => ({ next: await hashSetOf(ana.keys.authority) })),
  },
  {
    rule: "recovery-apart",
    name: "a guardian who also holds the next key",
    make: async (ana) => {
      const hashes = [await hashOfKey(ana.keys.next[0]?.key ?? "")];
      return created(() => ({ recovery: { hashes, threshold: 1, delay: "P7D" } }))(ana);
    },
  },
  {
    rule: "registrar",
    name: "a registrar with a space",
    make: created(() => ({ registrar: "my registrar" })),
  },
  { rule: "registrar", name: "no registrar", make: created(() => ({ registrar: "" })) },
  { rule: "locks", name: "a create without its locks", make: created(() => ({ locks: [] })) },
  { rule: "locks", name: "locks in another order", make: created(() => ({ locks: ["port", "transfer"] })) },
  { rule: "locks", name: "a list within the list", make: rotated(() => ({ locks: [["transfer", "port"]] })) },
  {
    rule: "nonce",
    name: "a nonce of 8 bytes",
    make: created(() => ({ nonce: encodeBase64url(new Uint8Array(8)) })),
  },
  {
    rule: "webid",
    name: "five WebIDs",
    make: recorded(() => ({
      webid: [1, 2, 3, 4, 5].map((number) => `https://pods.example.org/${number}#me`),
    })),
  },
  {
    rule: "storage",
    name: "nine storages",
    make: recorded(() => ({
      storage: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => ({
        id: `#pod${number}`,
        url: `https://pods.example.org/${number}/`,
      })),
    })),
  },
  { rule: "storage", name: "a storage that is no folder", make: storage("https://pods.example.org/ana") },
  {
    rule: "storage",
    name: "a storage with a third field",
    make: recorded(() => ({ storage: [{ id: "#pod", url: "https://pods.example.org/ana/", note: "" }] })),
  },
  {
    rule: "moved",
    name: "a move on the 31st of February",
    make: recorded(() => ({
      moved: [
        {
          from: "https://a.example/",
          to: "https://b.example/",
          at: "2026-02-31T00:00:00Z",
          redirectUntil: "2027-01-01T00:00:00Z",
        },
      ],
    })),
  },
  {
    rule: "moved",
    name: "a redirect that ends before the move",
    make: recorded(() => ({
      moved: [
        {
          from: "https://a.example/",
          to: "https://b.example/",
          at: "2026-02-01T00:00:00Z",
          redirectUntil: "2026-01-01T00:00:00Z",
        },
      ],
    })),
  },
  { rule: "url", name: "http", make: storage("http://pods.example.org/ana/") },
  { rule: "url", name: "a script", make: recorded(() => ({ webid: ["javascript:alert(1)"] })) },
  { rule: "url", name: "a user name", make: storage("https://ana@pods.example.org/ana/") },
  { rule: "url", name: "an address in numbers", make: storage("https://10.0.0.1/ana/") },
  { rule: "url", name: "this machine", make: storage("https://localhost/ana/") },
  { rule: "url", name: "513 bytes", make: storage(`https://pods.example.org/${"a".repeat(487)}/`) },
  { rule: "url", name: "a host with a sign in it", make: storage("https://po&s.example.org/ana/") },
  { rule: "url", name: "a host that ends in a dot", make: storage("https://pods.example.org./ana/") },
  { rule: "url", name: "an upper-case host", make: storage("https://Pods.example.org/ana/") },
  { rule: "url", name: "letters that look like others", make: storage("https://p\u043eds.example.org/ana/") },
  { rule: "url", name: "a bar, which no IRI has", make: storage("https://pods.example.org/a|b/") },
  {
    rule: "url",
    name: "a WebID with braces, which no IRI has",
    make: recorded(() => ({ webid: ["https://pods.example.org/#{me}"] })),
  },
  { rule: "url", name: "dots that climb", make: storage("https://pods.example.org/ana/../bea/") },
  {
    rule: "url",
    name: "an issuer with a fragment",
    make: recorded(() => ({ oidc: "https://pods.example.org/#x" })),
  },
  { rule: "url", name: "a storage with a query", make: storage("https://pods.example.org/?pod=ana/") },
  {
    rule: "keys",
    name: "a key for everything",
    make: (ana) =>
      recorded(() => ({
        keys: [{ id: "#sign", key: ana.keys.authority[0]?.key, for: ["capabilityInvocation"] }],
      }))(ana),
  },
  {
    rule: "keys",
    name: "a key with the id of the storage",
    make: (ana) =>
      recorded(() => ({ keys: [{ id: "#pod", key: ana.keys.authority[0]?.key, for: ["authentication"] }] }))(
        ana,
      ),
  },
  { rule: "ttl", name: "an answer kept for ever", make: recorded(() => ({ ttl: 1_000_000 })) },
  { rule: "signature-form", name: "no signature", make: (ana) => both(ana, ({ op }) => ({ op, sigs: [] })) },
  {
    rule: "signature-form",
    name: "one key that signs twice",
    make: (ana) => both(ana, ({ op, sigs }) => ({ op, sigs: [sigs[0], sigs[0]] })),
  },
  {
    rule: "signature-form",
    name: "base64 with padding",
    make: (ana) => both(ana, ({ op, sigs }) => ({ op, sigs: [{ k: 0, s: `${sigs[0]?.s}==` }] })),
  },
  {
    rule: "signature-form",
    name: "the delegate beside others",
    make: (ana) => both(ana, ({ op, sigs }) => ({ op, sigs: [sigs[0], { k: "d", s: sigs[0]?.s }] })),
  },
  {
    rule: "signature-form",
    name: "a negative index",
    make: (ana) => both(ana, ({ op, sigs }) => ({ op, sigs: [{ k: -1, s: sigs[0]?.s }] })),
  },
  {
    rule: "sponsor-form",
    name: "a sponsor without a signature",
    make: (ana) => both(ana, (signed) => ({ ...signed, sponsor: { by: "local" } })),
  },
  {
    rule: "sponsor-form",
    name: "sponsored data",
    make: (ana) => candidate(forge({ ...ana.data, sponsor: ana.create.sponsor }), ana.state),
  },
  { rule: "beginning", name: "a second create", make: (ana) => candidate(ana.create, ana.state) },
  { rule: "beginning", name: "data of nobody", make: (ana) => candidate(ana.data, null) },
  {
    rule: "same-passport",
    name: "another person's data",
    make: async (ana) => candidate((await person("bea")).data, ana.state),
  },
  { rule: "seq", name: "a step left out", make: rotated(() => ({ seq: 2 })) },
  {
    rule: "seq",
    name: "the same rotate again",
    make: async (ana) => candidate(ana.rotate, await applyOperation(ana.state, ana.rotate)),
  },
  { rule: "prev", name: "another past", make: rotated(() => ({ prev: zeros })) },
  {
    rule: "aseq",
    name: "an evicted delegate",
    make: async (ana) => candidate(ana.data, await applyOperation(ana.state, ana.rotate)),
  },
  { rule: "aseq", name: "a delegate of the future", make: recorded(() => ({ aseq: 1 })) },
  {
    rule: "pre-rotation",
    name: "a thief who has today's key only",
    make: async (ana) => {
      const thief = await key("thief");
      return rotated(() => ({ auth: keySetOf([thief]) }), [thief])(ana);
    },
  },
  {
    rule: "signer",
    name: "a delegate who creates",
    make: (ana) => both(ana, ({ op, sigs }) => ({ op, sigs: [{ k: "d", s: sigs[0]?.s }] })),
  },
  {
    rule: "signer",
    name: "a key that is not there",
    make: (ana) => both(ana, ({ op, sigs }) => ({ op, sigs: [{ k: 4, s: sigs[0]?.s }] })),
  },
  {
    rule: "threshold",
    name: "one of three where two are needed",
    make: async () => {
      const { signed, state } = await two();
      return candidate({ ...signed, sigs: signed.sigs.slice(0, 1) }, state);
    },
  },
  {
    rule: "threshold",
    name: "a rotate that lowers what next had promised",
    make: async () => {
      const { keys, state, signed } = await two();
      const only = keys.slice(0, 1);
      const op = await makeRotate({
        id: state.id,
        after: state.head,
        auth: keySetOf(only),
        next: (signed.op as typeof state.head).next,
      });
      return candidate(await signOperation(op, op.auth, only), state);
    },
  },
  {
    rule: "signature",
    name: "a changed pod",
    make: (ana) =>
      candidate(
        { ...ana.data, op: { ...ana.data.op, storage: [{ id: "#pod", url: "https://evil.example/" }] } },
        ana.state,
      ),
  },
  {
    rule: "signature",
    name: "a changed nonce",
    make: (ana) => both(ana, ({ op, sigs }) => ({ op: { ...op, nonce: "AAAAAAAAAAAAAAAAAAAAAA" }, sigs })),
  },
  {
    rule: "signature",
    name: "another host's key",
    make: async (ana) => candidate(await signAsDelegate(ana.data.op, await key("other host")), ana.state),
  },
  {
    rule: "signature",
    name: "a registrar's sponsorship passed off as a signature",
    make: async (ana) => {
      const sponsored = await sponsorOperation(ana.create as Signed, "local", ana.keys.authority[0]!);
      return candidate({ op: ana.create.op, sigs: [{ k: 0, s: sponsored.sponsor?.s ?? "" }] }, null);
    },
  },
  {
    rule: "delegate-keys",
    name: "a host that adds a key of its own",
    make: (ana) =>
      recorded(() => ({ keys: [{ id: "#sign", key: ana.host.key, for: ["authentication"] }] }))(ana),
  },
  {
    rule: "dseq",
    name: "an older record",
    make: (ana) => candidate(ana.data, { ...ana.state, dseq: 1 }, ana.facts),
  },
  { rule: "dseq", name: "a record too far ahead", make: recorded(() => ({ dseq: 3 }), true) },
  {
    rule: "own-zone",
    name: "a passport of another zone",
    make: async (ana) => ({
      ...(await created(() => ({ zone: "ch" }))(ana)),
      options: { registry: ana.facts },
    }),
  },
  {
    rule: "sponsored",
    name: "no sponsor",
    make: (ana) => candidate({ op: ana.create.op, sigs: ana.create.sigs }, null, ana.facts),
  },
  {
    rule: "sponsored",
    name: "a sponsor with another key",
    make: async (ana) =>
      candidate(await sponsorOperation(ana.create, "local", await key("thief")), null, ana.facts),
  },
  {
    rule: "sponsored",
    name: "a sponsor who is not the registrar",
    make: async (ana) =>
      candidate(await sponsorOperation(ana.create, "other", ana.registrar), null, ana.facts),
  },
  {
    rule: "sponsored",
    name: "another registrar without its consent",
    make: async (ana) => ({
      ...(await rotated(() => ({ registrar: "other" }))(ana)),
      options: { registry: ana.facts },
    }),
  },
  {
    rule: "delegate-storage",
    name: "a host that points at a stranger's server",
    make: recorded(() => ({ storage: [{ id: "#pod", url: "https://stranger.example/" }] }), true),
  },
];

export const VECTORS: readonly Vector[] = [...VECTORS_OF_ONE, ...CHANGE_VECTORS, ...REGISTRY_VECTORS];
