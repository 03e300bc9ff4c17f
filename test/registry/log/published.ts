/** Vectors of logs, maps and notes as other languages read them: `vocab/registry/vectors/log.json`. Long, for it is one list. */
import {
  commitOf,
  decodeLeaf,
  encodeBase64url,
  encodeLeaf,
  formatCheckpoint,
  formatVerifierKey,
  governanceHash,
  headKeyOf,
  headRecordText,
  judgePolicy,
  type Leaf,
  leafHash,
  PassportError,
  type PassportId,
  parseCheckpoint,
  parseNote,
  parsePolicy,
  parseProof,
  parseVerifierKey,
  readSibling,
  rootOfPath,
  signedMessage,
  verifyConsistency,
  verifyInclusion,
  verifySignatureOf,
} from "../../../client-lib/registry/index.ts";
import { type CheckpointSigner, createSigner } from "../../../server/registry/log/signer.ts";
import { GOLDEN_ID } from "../../passport/golden.ts";
import { entriesOf, naivePath, naiveProof, naiveRoot } from "./naive.ts";
import {
  BROKEN_CHECKPOINTS,
  BROKEN_KEYS,
  BROKEN_NOTES,
  COSIGNED,
  EXAMPLE,
  EXAMPLE_KEY,
  PETER,
  PETER_KEY,
  ROOT,
  SUMDB,
  SUMDB_KEY,
} from "./tables.ts";

export const LOG_FILE = "vocab/registry/vectors/log.json";

type Bytes = Uint8Array<ArrayBuffer>;
type Given = Readonly<Record<string, unknown>>;

export interface LogRow {
  readonly name: string;
  /** What is asked; see {@link ASK}. */
  readonly check: keyof typeof ASK;
  readonly given: Given;
  /** What must come out; null for what must be refused. */
  readonly expected: unknown;
}

const raw = (text: unknown): Bytes => new Uint8Array(Buffer.from(String(text), "base64url"));
const raws = (texts: unknown): Bytes[] => (texts as readonly string[]).map(raw);
const text = (bytes: Uint8Array): string => encodeBase64url(bytes);
const texts = (all: readonly Uint8Array[]): string[] => all.map(text);
const num = (value: unknown): number => value as number;
const str = (value: unknown): string => value as string;

/** Null for what is refused. */
async function orNull(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PassportError) return null;
    throw error;
  }
}

function leafInWords(leaf: Leaf): Given {
  const words = Object.entries(leaf).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? text(value) : (value as unknown),
  ]);
  return Object.fromEntries(words) as Given;
}

/** Every question, as the product answers it. */
export const ASK = {
  leaf: (given) => orNull(() => leafInWords(decodeLeaf(raw(given["bytes"])))),
  leafHash: async (given) => text(await leafHash(raw(given["entry"]))),
  headKey: async (given) => text(await headKeyOf(str(given["shard"]), given["id"] as PassportId)),
  commit: async (given) => {
    const head = headRecordText(given["head"] as Parameters<typeof headRecordText>[0]);
    return text(await commitOf(raw(given["opening"]), raw(given["headKey"]), head));
  },
  governance: async (given) => text(await governanceHash(given["record"])),
  inclusion: (given) =>
    verifyInclusion({
      index: num(given["index"]),
      size: num(given["size"]),
      leafHash: raw(given["leafHash"]),
      path: raws(given["path"]),
      root: raw(given["root"]),
    }),
  consistency: (given) =>
    verifyConsistency({
      size1: num(given["size1"]),
      size2: num(given["size2"]),
      root1: raw(given["root1"]),
      root2: raw(given["root2"]),
      path: raws(given["path"]),
    }),
  map: async (given) => {
    const end = given["end"] as { readonly key: string; readonly commit: string } | null;
    const commit = given["commit"] === null ? null : raw(given["commit"]);
    const at = end && { key: raw(end.key), commit: raw(end.commit) };
    const path = (given["path"] as readonly string[]).map(readSibling).filter((one) => one !== null);
    if (path.length < (given["path"] as readonly string[]).length) return null;
    const root = await rootOfPath(raw(given["key"]), commit, path, at);
    return root && text(root);
  },
  note: (given) => orNull(() => parseNote(str(given["text"])).signatures.map(({ name, id }) => [name, id])),
  key: (given) => orNull(async () => (await parseVerifierKey(str(given["vkey"]))).type),
  checkpoint: (given) =>
    orNull(() => {
      const { origin, size, root, extensions } = parseCheckpoint(str(given["body"]));
      return { origin, size, root: text(root), extensions };
    }),
  message: (given) =>
    text(
      signedMessage(
        { type: given["type"] as 1 | 4 | 6, name: str(given["name"]) },
        str(given["body"]),
        num(given["time"]),
      ),
    ),
  signature: async (given) =>
    verifySignatureOf(parseNote(str(given["note"])), await parseVerifierKey(str(given["vkey"]))),
  quorum: async (given) => {
    const { isMet, asOf, by } = await judgePolicy(
      await parsePolicy(str(given["policy"])),
      parseNote(str(given["note"])),
      {
        now: num(given["now"]),
        maxAgeSeconds: num(given["maxAgeSeconds"]),
      },
    );
    return { isMet, asOf, by };
  },
  policy: (given) => orNull(async () => (await parsePolicy(str(given["policy"]))).quorum),
  receipt: (given) => orNull(() => parseProof(str(given["text"])).index),
} satisfies Readonly<Record<string, (given: Given) => unknown>>;

const filled = (byte: number): Bytes => new Uint8Array(32).fill(byte);
const flipped = (bytes: Uint8Array): Bytes => new Uint8Array(bytes).with(0, (bytes[0] ?? 0) ^ 1);

function treeRows(): LogRow[] {
  const rows: LogRow[] = [];
  for (const [size, index] of [
    [1, 0],
    [2, 1],
    [5, 4],
    [8, 3],
    [13, 12],
    [13, 0],
  ] as const) {
    // biome-ignore format: pairs
    const entries = entriesOf(size);
    const entry = entries[index] ?? new Uint8Array();
    rows.push({
      name: `leaf ${index}`,
      check: "leafHash",
      given: { entry: text(entry) },
      expected: text(naiveRoot([entry])),
    });
    const path = naivePath(index, entries);
    const given = {
      index,
      size,
      leafHash: text(naiveRoot([entry])),
      path: texts(path),
      root: text(naiveRoot(entries)),
    };
    const add = (name: string, change: Given, expected = false) =>
      rows.push({
        name: `leaf ${index} of ${size}${name}`,
        check: "inclusion",
        given: { ...given, ...change },
        expected,
      });
    add("", {}, true);
    add(", another leaf", { leafHash: text(filled(1)) });
    add(", another root", { root: text(filled(1)) });
    add(", a hash too many", { path: [...texts(path), text(filled(1))] });
    add(", beyond the end", { index: size });
    for (const [at, hash] of path.entries())
      add(`, hash ${at} changed`, { path: texts(path.with(at, flipped(hash))) });
  }
  for (const [size1, size2] of [
    [1, 1],
    [1, 2],
    [3, 7],
    [4, 8],
    [6, 13],
    [12, 13],
  ] as const) {
    // biome-ignore format: pairs
    const entries = entriesOf(size2);
    const path = naiveProof(size1, entries);
    const [root1, root2] = [naiveRoot(entries.slice(0, size1)), naiveRoot(entries)];
    const given = { size1, size2, root1: text(root1), root2: text(root2), path: texts(path) };
    const add = (name: string, change: Given, expected = false) =>
      rows.push({
        name: `${size1} before ${size2}${name}`,
        check: "consistency",
        given: { ...given, ...change },
        expected,
      });
    add("", {}, true);
    add(", another older root", { root1: text(filled(1)) });
    add(", another newer root", { root2: text(filled(1)) });
    add(", from nothing", { size1: 0 });
    add(", a hash too many", { path: [...texts(path), text(filled(1))] });
    for (const at of path.keys()) add(`, without hash ${at}`, { path: texts(path.toSpliced(at, 1)) });
  }
  return rows;
}

async function leafRows(): Promise<LogRow[]> {
  const leaves: readonly Leaf[] = [
    { kind: "set", headKey: filled(1), commit: filled(2) },
    { kind: "root", epoch: 77, count: 2 ** 33, root: filled(3) },
    { kind: "delete", headKey: filled(4) },
    { kind: "governance", hash: filled(5) },
  ];
  const rows: LogRow[] = leaves.flatMap((leaf) => {
    const bytes = encodeLeaf(leaf);
    const bad = [bytes.slice(0, -1), new Uint8Array([...bytes, 0]), bytes.with(0, 9)];
    return [
      { name: leaf.kind, check: "leaf", given: { bytes: text(bytes) }, expected: leafInWords(leaf) },
      ...bad.map(
        (one): LogRow => ({
          name: `no ${leaf.kind}`,
          check: "leaf",
          given: { bytes: text(one) },
          expected: null,
        }),
      ),
    ];
  });
  const ask = async (name: string, check: keyof typeof ASK, given: Given) =>
    rows.push({ name, check, given, expected: await ASK[check](given) });
  for (const shard of ["ch/2026", "ch/2027", "root/2026"])
    await ask(shard, "headKey", { shard, id: GOLDEN_ID });
  const [opening, headKey] = [text(filled(6)), text(filled(7))];
  await ask("a head", "commit", {
    opening,
    headKey,
    head: { a: "A".repeat(43), aseq: 1, d: "B".repeat(42), dseq: 2 },
  });
  await ask("no data", "commit", {
    opening,
    headKey,
    head: { a: "A".repeat(43), aseq: 0, d: null, dseq: 0 },
  });
  await ask("held", "commit", { opening, headKey, head: { a: "A", aseq: 0, d: null, dseq: 0, h: "H" } });
  await ask("a record", "governance", { record: { v: 1, name: "Zürich", list: [true, null, 3] } });
  return rows;
}

async function mapRows(): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  const [low, high, near] = [filled(0), filled(0).with(0, 0x80), filled(0).with(0, 0x01)];
  const commit = text(filled(8));
  const leaf = async (key: Bytes) => raw(await ASK.map({ key: text(key), commit, path: [], end: null }));
  const ask = async (name: string, given: Given) =>
    rows.push({ name, check: "map", given, expected: await ASK.map(given) });
  const refuse = (name: string, given: Given) => rows.push({ name, check: "map", given, expected: null });
  await ask("the only key", { key: text(low), commit, path: [], end: null });
  await ask("nothing at all", { key: text(low), commit: null, path: [], end: null });
  await ask("one of two", { key: text(low), commit, path: [text(await leaf(high))], end: null });
  await ask("two that part at their second bit", {
    key: text(low),
    commit,
    path: ["", text(await leaf(filled(0).with(0, 0x40)))],
    end: null,
  });
  refuse("nothing, written as 32 zero bytes", {
    key: text(low),
    commit,
    path: [text(filled(0)), text(await leaf(filled(0).with(0, 0x40)))],
    end: null,
  });
  await ask("an absence at another key", {
    key: text(near),
    commit: null,
    path: [text(await leaf(high))],
    end: { key: text(low), commit },
  });
  await ask("an absence at nothing", { key: text(high), commit: null, path: [text(filled(9))], end: null });
  refuse("an end of another way", {
    key: text(high),
    commit: null,
    path: [text(filled(9))],
    end: { key: text(low), commit },
  });
  refuse("an end that is the key itself", {
    key: text(low),
    commit: null,
    path: [],
    end: { key: text(low), commit },
  });
  refuse("a key and an end", { key: text(low), commit, path: [], end: { key: text(low), commit } });
  refuse("deeper than the map", { key: text(low), commit, path: [""], end: null });
  refuse("257 hashes", { key: text(low), commit, path: Array<string>(257).fill(text(filled(9))), end: null });
  refuse("a short hash", { key: text(low), commit, path: [text(filled(9).slice(1))], end: null });
  refuse("a short key", { key: text(low.slice(1)), commit, path: [], end: null });
  return rows;
}

const TIME = 1_790_000_000;

async function noteRows(): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  const ask = async (name: string, check: keyof typeof ASK, given: Given) =>
    rows.push({ name, check, given, expected: await ASK[check](given) });
  for (const [name, note, vkey] of [
    ["the specification's", EXAMPLE, EXAMPLE_KEY],
    ["Go's", PETER, PETER_KEY],
    ["the checksum database's", SUMDB, SUMDB_KEY],
  ] as const) {
    await ask(`${name} note`, "note", { text: note });
    await ask(`${name} key`, "key", { vkey });
    rows.push({
      name: `${name} signature`,
      check: "signature",
      given: { note, vkey },
      expected: { time: null },
    });
    rows.push({
      name: `${name} signature, a letter changed`,
      check: "signature",
      given: { note: note.replace("e", "E"), vkey },
      expected: null,
    });
  }
  for (const [what, note] of BROKEN_NOTES)
    rows.push({ name: `a note that ${what}`, check: "note", given: { text: note }, expected: null });
  for (const [what, vkey] of BROKEN_KEYS)
    rows.push({ name: `a key that ${what}`, check: "key", given: { vkey }, expected: null });
  for (const [what, body] of BROKEN_CHECKPOINTS)
    rows.push({ name: `a checkpoint that ${what}`, check: "checkpoint", given: { body }, expected: null });
  await ask("the specification's checkpoint", "checkpoint", { body: parseNote(COSIGNED).body });
  const body = formatCheckpoint({ origin: "log.ch.example/2026", size: 8, root: ROOT });
  await ask("a checkpoint", "checkpoint", { body });
  for (const type of [1, 4, 6])
    await ask(`type ${type}`, "message", { type, name: "witness.example/w", body, time: TIME });
  return [...rows, ...(await quorumRows(body))];
}

async function quorumRows(body: string): Promise<LogRow[]> {
  const signers = await Promise.all(
    [1, 2, 3].map((byte) =>
      createSigner({ name: `witness.example/w${byte}`, type: 4, seed: filled(byte), now: () => new Date(0) }),
    ),
  );
  const lines = signers.map(({ key }, at) => `witness w${at + 1} ${formatVerifierKey(key)}\n`).join("");
  const policy = `${lines}group two 2 w1 w2 w3\nquorum two\n`;
  const note = (...times: readonly (number | null)[]): string =>
    `${body}\n${times.map((time, at) => (time === null ? "" : (signers[at] as CheckpointSigner).lineAt(body, time))).join("")}`;
  const rows: LogRow[] = [];
  const judge = (name: string, text: string, isMet: boolean, asOf: number | null, by: readonly string[]) =>
    rows.push({
      name,
      check: "quorum",
      given: { policy, note: text, now: TIME * 1_000, maxAgeSeconds: 60 },
      expected: { isMet, asOf, by },
    });
  judge("two of three", note(TIME, null, TIME - 60), true, TIME - 60, ["w1", "w3"]);
  judge("three of three", note(TIME - 90, TIME - 30, TIME), true, TIME - 30, ["w1", "w2", "w3"]);
  judge("one of three", note(null, TIME), false, null, ["w2"]);
  judge("one of two too old", note(TIME, TIME - 61), false, TIME - 61, ["w1", "w2"]);
  judge("one of two in the future", note(TIME, TIME + 301), false, null, ["w1"]);
  const forged = note(TIME, TIME, TIME).replace(
    /(— witness\.example\/w3 .{30})(.)/,
    (_, head: string, letter: string) => head + (letter === "A" ? "B" : "A"),
  );
  judge("two of three, and the third forged", forged, false, TIME, ["w1", "w2"]);
  const vkey = formatVerifierKey((signers[0] as CheckpointSigner).key);
  rows.push({
    name: "a cosignature",
    check: "signature",
    given: { note: note(TIME), vkey },
    expected: { time: TIME },
  });
  rows.push({
    name: "a cosignature of another tree",
    check: "signature",
    given: { note: note(TIME).replace("\n8\n", "\n9\n"), vkey },
    expected: null,
  });
  for (const [name, bad] of [
    ["no quorum", lines],
    ["a witness in two groups", `${lines}group g any w1\ngroup h any w1\nquorum h\n`],
    ["a group of what comes later", `${lines}group g any h\ngroup h any w1\nquorum g\n`],
    ["more than there are", `${lines}group g 4 w1 w2 w3\nquorum g\n`],
    ["none of them", `${lines}group g 0 w1\nquorum g\n`],
    ["a key twice", `${lines}witness w9 ${vkey}\nquorum w9\n`],
    ["two quorums", `${lines}quorum w1\nquorum w2\n`],
    ["a carriage return", `${lines}quorum w1\r\n`],
    ["a word that means nothing", `${lines}trust w1\nquorum w1\n`],
  ] as const)
    rows.push({ name: `a policy with ${name}`, check: "policy", given: { policy: bad }, expected: null });
  rows.push({
    name: "a policy with comments",
    check: "policy",
    given: { policy: `# ours\n\n\t ${policy}` },
    expected: "two",
  });
  const receipt = `c2sp.org/tlog-proof@v1\nindex 7\n${Buffer.from(ROOT).toString("base64")}\n\n${note(TIME)}`;
  rows.push({ name: "a receipt", check: "receipt", given: { text: receipt }, expected: 7 });
  rows.push({
    name: "a receipt of another version",
    check: "receipt",
    given: { text: receipt.replace("v1", "v2") },
    expected: null,
  });
  return rows;
}

export const publishedLog = async (): Promise<readonly LogRow[]> => [
  ...(await leafRows()),
  ...treeRows(),
  ...(await mapRows()),
  ...(await noteRows()),
];

const ABOUT =
  "Logs, maps, notes and policies of DCANN: each row asks one question (`check`) about what is given, and says what must come out; null is a refusal. Bytes are base64url. See vocab/registry/README.md.";

export const writtenLog = (rows: readonly LogRow[]): string =>
  `{\n  "about": ${JSON.stringify(ABOUT)},\n  "rows": [\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]\n}\n`;
