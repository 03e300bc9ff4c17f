/** Notes, checkpoints and cosignatures: examples of the specifications and of logs that run, and every way to be malformed. */
import { expect } from "chai";
import {
  encodeBase64,
  formatCheckpoint,
  formatNote,
  formatVerifierKey,
  judgeSignature,
  PassportError,
  parseCheckpoint,
  parseNote,
  parseSize,
  parseVerifierKey,
  signedMessage,
  signNote,
  type VerifierKey,
  verifierKeyOf,
  verifySignatureOf,
} from "../../../client-lib/registry/index.ts";
import { createSigner, verifyMlDsa44 } from "../../../server/registry/log/signer.ts";
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

const at = (seconds: number) => () => new Date(seconds * 1_000);
const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const BODY = formatCheckpoint({ origin: "log.ch.example/2026", size: 8, root: ROOT });

/** The rule that is broken; throws where none is. */
function broken(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
  return "none";
}

async function brokenLater(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  return error instanceof PassportError ? error.rule : String(error);
}

describe("signed notes", () => {
  for (const [name, key, note] of [
    ["the specification", EXAMPLE_KEY, EXAMPLE],
    ["Go's documentation", PETER_KEY, PETER],
    ["Go's checksum database", SUMDB_KEY, SUMDB],
  ] as const) {
    it(`the example of ${name} verifies, and not when a letter of it is another`, async () => {
      const verifier = await parseVerifierKey(key);
      expect(formatVerifierKey(verifier)).to.equal(key);
      expect(formatNote(parseNote(note))).to.equal(note);
      expect(await verifySignatureOf(parseNote(note), verifier)).to.deep.equal({ time: null });
      const changed = parseNote(note.replace("e", "E"));
      expect((await judgeSignature(changed, verifier)).kind).to.equal("forged");
      expect(await verifySignatureOf(changed, verifier)).to.equal(null);
    });
  }

  it("a text may have empty lines: the last one parts it from its signatures", () => {
    const { body, signatures } = parseNote(EXAMPLE.replace("message.\n", "message.\n\nAnd more.\n"));
    expect(body).to.equal("This is an example message.\n\nAnd more.\n");
    expect(signatures).to.have.length(1);
  });

  const line = EXAMPLE.split("\n")[2] ?? "";
  const base64 = line.split(" ")[2] ?? "";
  for (const [what, text] of BROKEN_NOTES) {
    it(`a note that ${what} is refused`, () => {
      expect(broken(() => parseNote(text))).to.equal("note");
    });
  }

  it("64 signatures are read, and those of unknown keys are ignored", async () => {
    const note = parseNote(EXAMPLE + `— example.com/other ${base64}\n`.repeat(63));
    expect(note.signatures).to.have.length(64);
    expect(await verifySignatureOf(note, await parseVerifierKey(EXAMPLE_KEY))).to.deep.equal({ time: null });
    const stranger = await verifierKeyOf("stranger.example", 1, (await parseVerifierKey(PETER_KEY)).key);
    expect((await judgeSignature(note, stranger)).kind).to.equal("absent");
  });

  it("a second line of a known key that does not hold spoils the note", async () => {
    const forged = line.replace("Uw2QOkn8", "Uw2QOkn9");
    const note = parseNote(`${EXAMPLE}${forged}\n`);
    expect(await verifySignatureOf(note, await parseVerifierKey(EXAMPLE_KEY))).to.equal(null);
  });

  for (const [what, key] of BROKEN_KEYS) {
    it(`a verifier key that ${what} is refused`, async () => {
      expect(await brokenLater(parseVerifierKey(key))).to.equal("note");
    });
  }

  it("a key of small order is refused: one signature of it would fit many texts", async () => {
    expect(await brokenLater(verifierKeyOf("example.com", 1, new Uint8Array(32)))).to.equal("note");
  });

  it("a witness's key as others publish it is read", async () => {
    const key = await parseVerifierKey(
      "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    );
    expect(key.type).to.equal(4);
    expect(key.id.toString(16)).to.equal("da77ade7");
  });
});

describe("checkpoints", () => {
  it("the example of the specification is read, and written the same", () => {
    const { body, signatures } = parseNote(COSIGNED);
    const { origin, size, root: found, extensions } = parseCheckpoint(body);
    expect([origin, size, extensions]).to.deep.equal(["example.com/behind-the-sofa", 20_852_163, []]);
    expect(formatCheckpoint({ origin, size, root: found })).to.equal(body);
    expect(signatures.map(({ name }) => name)).to.deep.equal([origin, "witness.example.com/w1"]);
    expect(new DataView(signatures[1]?.bytes.buffer ?? new ArrayBuffer(8)).getBigUint64(0)).to.equal(
      1_679_315_147n,
    );
  });

  const hash = encodeBase64(ROOT);
  for (const [what, body] of BROKEN_CHECKPOINTS) {
    it(`a checkpoint that ${what} is refused`, () => {
      expect(broken(() => parseCheckpoint(body))).to.equal("checkpoint");
    });
  }

  it("extension lines are kept", () => {
    expect(parseCheckpoint(`Log\n0\n${hash}\nlots\nof lines\n`).extensions).to.deep.equal([
      "lots",
      "of lines",
    ]);
  });

  it("sizes have one spelling", () => {
    expect(["0", "10", "9007199254740991"].map(parseSize)).to.deep.equal([0, 10, Number.MAX_SAFE_INTEGER]);
    expect(["", "00", "01", "1 ", "1e3", "٣", "9007199254740992"].map(parseSize)).to.deep.equal(
      Array(7).fill(null),
    );
  });
});

describe("cosignatures", () => {
  const time = 1_790_000_000;

  async function noteBy(type: VerifierKey["type"], byte: number, body = BODY) {
    const signer = await createSigner({
      name: "witness.is.example/w1",
      type,
      seed: seed(byte),
      now: at(time),
    });
    return { key: signer.key, note: parseNote(await signNote(body, [signer])) };
  }

  it("the Ed25519 message is the header, the time and the whole text", () => {
    const message = signedMessage({ type: 4, name: "any" }, parseNote(COSIGNED).body, 1_679_315_147);
    expect(Buffer.from(message).toString()).to.equal(
      "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    );
  });

  it("the ML-DSA-44 message is the structure of the specification, byte for byte", () => {
    const message = signedMessage({ type: 6, name: "w" }, BODY, 258);
    const expected = [
      Buffer.from("subtree/v1\n\0"),
      Buffer.from([1, 0x77]), // cosigner_name
      Buffer.from("0000000000000102", "hex"), // timestamp
      Buffer.from([19]),
      Buffer.from("log.ch.example/2026"), // log_origin
      Buffer.from("0000000000000000", "hex"), // start
      Buffer.from("0000000000000008", "hex"), // end
      ROOT,
    ];
    expect(Buffer.from(message)).to.deep.equal(Buffer.concat(expected));
  });

  for (const type of [4, 6] as const) {
    it(`of type ${type} hold with their time, and not for another text, name, time or key`, async () => {
      const { key, note } = await noteBy(type, 1);
      const options = { verifyMlDsa44 };
      expect(await verifySignatureOf(note, key, options)).to.deep.equal({ time });
      const [signature] = note.signatures;
      if (!signature) throw new Error("no signature");
      const kindOf = async (changed: Parameters<typeof judgeSignature>[0], by = key) =>
        (await judgeSignature(changed, by, options)).kind;
      expect(await kindOf({ ...note, body: BODY.replace("\n8\n", "\n9\n") })).to.equal("forged");
      expect(await kindOf({ ...note, body: BODY.replace("log.ch", "log.za") })).to.equal("forged");
      const earlier = signature.bytes.with(7, (signature.bytes[7] ?? 0) ^ 1);
      expect(await kindOf({ ...note, signatures: [{ ...signature, bytes: earlier }] })).to.equal("forged");
      const short = signature.bytes.slice(0, -1);
      expect(await kindOf({ ...note, signatures: [{ ...signature, bytes: short }] })).to.equal("forged");
      const endless = signature.bytes.with(0, 0xff);
      expect(await kindOf({ ...note, signatures: [{ ...signature, bytes: endless }] })).to.equal("forged");
      const other = (await noteBy(type, 2)).key;
      expect(await kindOf(note, { ...key, key: other.key })).to.equal("forged");
      expect(await kindOf(note, other)).to.equal("absent");
    });
  }

  it("of type 6 commit to the name of the cosigner, of type 4 not: its keys must not be shared", async () => {
    for (const [type, kind] of [
      [4, "valid"],
      [6, "forged"],
    ] as const) {
      const { key, note } = await noteBy(type, 1);
      const name = "witness.za.example/w1";
      const renamed = { ...note, signatures: note.signatures.map((one) => ({ ...one, name })) };
      expect((await judgeSignature(renamed, { ...key, name }, { verifyMlDsa44 })).kind).to.equal(kind);
    }
  });

  it("of type 6 on a text that is no checkpoint are forged", async () => {
    const { key, note } = await noteBy(6, 1);
    expect((await judgeSignature({ ...note, body: "Text\n" }, key, { verifyMlDsa44 })).kind).to.equal(
      "forged",
    );
  });

  it("of type 6 count for nothing where ML-DSA cannot be had, and spoil nothing", async () => {
    const { key, note } = await noteBy(6, 1);
    expect((await judgeSignature(note, key, { verifyMlDsa44: () => null })).kind).to.equal("unknown");
    expect(await verifySignatureOf(note, key, { verifyMlDsa44: () => null })).to.equal(null);
  });

  it("of several of one key the newest counts", async () => {
    const later = await createSigner({
      name: "witness.is.example/w1",
      type: 4,
      seed: seed(1),
      now: at(time + 60),
    });
    const { key, note } = await noteBy(4, 1);
    const both = parseNote(formatNote(note) + later.lineAt(BODY, time + 60));
    expect(await verifySignatureOf(both, key)).to.deep.equal({ time: time + 60 });
  });
});
