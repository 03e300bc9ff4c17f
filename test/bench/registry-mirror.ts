/**
 * How long a mirror takes from nothing: a zone of so many passports, served by its own process, and `freehold registry mirror`
 * beside it, until that answers. One in a thousand passports is whole, with true signatures, and these are asked for and
 * verified; of the others the signatures are any bytes, for a mirror holds passports against the map and no more.
 */
import { hash, randomBytes, randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  authorityOf,
  bytesOfOperation,
  type CreateOperation,
  type DataOperation,
  encodeLeaf,
  generateKeyPair,
  generatePassportKeys,
  headRecordText,
  idOfGenesis,
  makeCreate,
  type PassportId,
  type Shard,
  type Signed,
  type SignedRootRecord,
  shardOf,
  signAsDelegate,
  signOperation,
  sponsorOperation,
  verifyAnswer,
} from "@freehold/client/registry";
import { loadRegistryConfig } from "../../server/cli/registry/config.ts";
import { openZoneStore } from "../../server/cli/registry/registry.ts";
import { createLog } from "../../server/log.ts";
import { commitOf, headKeyOf, sha256 } from "../../server/registry/log/hash.ts";
import { type MapChange, updateMap } from "../../server/registry/map/map.ts";
import { beginProgress, putProgress } from "../../server/registry/zone/pages.ts";
import { growEdge, putLeaves } from "../../server/registry/zone/plan.ts";
import { applyRecords, type RecordWrite } from "../../server/registry/zone/stage.ts";
import { encodeHead, keyGroup, mapGroup } from "../../server/registry/zone/state.ts";
import { encodeRecord } from "../../server/store/record.ts";
import { MAIN, type Program, quietPort, startProgram } from "../support/process.ts";
import { cpuMs, residentMib } from "./servers.ts";

const REGISTRAR = "bench";
const WHOLE_ONE_IN = 1_000;
const ASKED = 200;
const WRITES_AT_ONCE = 8_000;
const LEAVES_AT_ONCE = 65_536;
const POLL_MS = 50;

type Print = (line: string) => void;
type Pair = readonly [Signed<CreateOperation>, Signed<DataOperation>];

interface Made {
  readonly id: PassportId;
  readonly key: Uint8Array;
  readonly commit: Uint8Array;
  readonly records: readonly RecordWrite[];
}

/** As `npm run freehold` starts it. */
const freehold = (args: readonly string[]): Program =>
  startProgram(["--max-semi-space-size=8", MAIN, ...args]);

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const dataOf = (id: PassportId, name: string): DataOperation => ({
  v: 1,
  t: "data",
  id,
  aseq: 0,
  dseq: 1,
  webid: [`https://${name}.pods.example/profile/card#me`],
  oidc: "https://pods.example/",
  storage: [{ id: "#pod", url: `https://${name}.pods.example/` }],
  moved: [],
  keys: [],
  ttl: 3_600,
});

/** @returns a function that makes passports of one owner: whole ones, or ones whose signatures are any bytes. */
async function maker() {
  const [host, registrar, keys] = [
    await generateKeyPair(),
    await generateKeyPair(),
    await generatePassportKeys(),
  ];
  const authority = await authorityOf(keys);
  const create = () => makeCreate({ zone: "zz", registrar: REGISTRAR, delegateKey: host.key, ...authority });
  let count = 0;
  const bytes = (): string => hash("sha512", String((count += 1)), "base64url");
  return async (isWhole: boolean): Promise<Pair> => {
    const op = create();
    const data = dataOf(await idOfGenesis(op), op.nonce.replace(/[^a-z0-9]/gi, "x").toLowerCase());
    if (!isWhole)
      return [
        { op, sigs: [{ k: 0, s: bytes() }], sponsor: { by: REGISTRAR, s: bytes() } },
        { op: data, sigs: [{ k: "d", s: bytes() }] },
      ];
    const signed = await signOperation(op, op.auth, keys.authority);
    return [await sponsorOperation(signed, REGISTRAR, registrar), await signAsDelegate(data, host)];
  };
}

function passportOf([create, data]: Pair, shard: Shard, at: number): Made {
  const { id } = data.op;
  const [headHash, dataHash] = [create.op, data.op].map((op) => encode(sha256(bytesOfOperation(op))));
  if (headHash === undefined || dataHash === undefined) throw new Error("Two operations have two hashes");
  const key = headKeyOf(shard, id);
  const opening = randomBytes(32);
  const commit = commitOf(opening, key, headRecordText({ a: headHash, aseq: 0, d: dataHash, dseq: 1 }));
  const fields = {
    id,
    headKey: encode(key),
    opening: encode(opening),
    commit: encode(commit),
    headHash,
    aseq: 0,
    dseq: 1,
    dataHash,
    keysSince: 0,
    zone: "zz",
    deactivated: false,
    hold: null,
    registrar: REGISTRAR,
    created: at,
    updated: at,
    createdAt: at,
    authSince: at,
    vetoedAt: null,
    taken: [],
    spoken: [],
    pending: null,
  };
  const text = JSON.stringify({ auth: [create], data });
  const records = [
    { group: "head", item: id, value: encodeHead(fields, text) },
    { group: keyGroup(shard), item: fields.headKey, value: encodeRecord({ id }) },
  ];
  return { id, key, commit, records };
}

/** A zone that has these passports when it is started. @returns those of them that are whole. */
async function fillZone(folder: string, count: number): Promise<readonly PassportId[]> {
  const now = (): Date => new Date();
  const { store, pod } = await openZoneStore(await loadRegistryConfig(folder), {
    now,
    log: createLog(() => {}, now),
  });
  try {
    const at = Date.now();
    const shard = shardOf("zz", at);
    const make = await maker();
    const ids: PassportId[] = [];
    const changes: (MapChange & { readonly commit: Uint8Array })[] = [];
    let records: RecordWrite[] = [];
    let written: Promise<unknown> = Promise.resolve();
    /** The next ones are made while these are written. */
    const write = async (some: readonly RecordWrite[]): Promise<void> => {
      await written;
      written = store.write(pod, async (transaction) => applyRecords(transaction, some));
    };
    for (let index = 0; index < count; index += 1) {
      const isWhole = index % WHOLE_ONE_IN === 0;
      const passport = passportOf(await make(isWhole), shard, at);
      if (isWhole) ids.push(passport.id);
      changes.push({ key: passport.key, commit: passport.commit });
      records.push(...passport.records);
      if (records.length < WRITES_AT_ONCE) continue;
      await write(records);
      records = [];
    }
    await write(records);
    const blocks: RecordWrite[] = [];
    await updateMap(
      async () => null,
      (item, value) => void blocks.push({ group: mapGroup(shard), item, value }),
      changes,
    );
    for (let from = 0; from < blocks.length; from += WRITES_AT_ONCE)
      await write(blocks.slice(from, from + WRITES_AT_ONCE));
    let { edge } = beginProgress(shard);
    for (let from = 0; from < count; from += LEAVES_AT_ONCE) {
      const leaves = changes
        .slice(from, from + LEAVES_AT_ONCE)
        .map(({ key, commit }) => encodeLeaf({ kind: "set", headKey: key, commit }));
      await written;
      await store.write(pod, (transaction) => putLeaves(transaction, shard, from, leaves, []));
      edge = growEdge(edge, leaves);
    }
    // As a takeover that has committed to everybody and has published nothing yet: the zone does so when it starts.
    await write([putProgress({ edge, cursor: null, isDone: true })]);
    await written;
    return ids;
  } finally {
    await store.close();
  }
}

async function command(args: readonly string[]): Promise<string> {
  const { code, out, err } = await freehold(args).ended;
  if (code !== 0) throw new Error(`freehold ${args.join(" ")} ended with ${code}: ${out}${err}`);
  return out;
}

const answers = async (url: string): Promise<boolean> =>
  fetch(url).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );

/** @param folder An empty one. @param programs Those that whoever calls ends. */
export async function benchMirror(
  count: number,
  folder: string,
  programs: Program[],
  print: Print,
): Promise<void> {
  const home = join(folder, "mirrored");
  const port = await quietPort();
  await command(["registry", "init", "zz", "The bench", "--folder", home, "--port", port]);
  const begun = performance.now();
  const ids = await fillZone(home, count);
  print(
    `a zone of ${whole(count)} passports, of which ${whole(ids.length)} are whole, made in ${whole((performance.now() - begun) / 1_000)} s`,
  );
  const secret = join(folder, "secret");
  writeFileSync(secret, (await command(["registry", "mirror", "allow", "bench", "--folder", home])).trim());
  const zone = freehold(["registry", "serve", "--quiet", "--folder", home]);
  programs.push(zone);
  await zone.until(/address {2}http/);
  const base = `http://localhost:${port}/`;

  const own = await quietPort();
  const started = performance.now();
  const before = cpuMs(zone.child.pid ?? 0);
  const args = ["zz", "--root", base, "--secret", secret, "--port", own, "--folder", join(folder, "mirror")];
  const mirror = freehold(["registry", "mirror", ...args]);
  programs.push(mirror);
  const url = `http://127.0.0.1:${own}/v1/passports/`;
  while (!(await answers(`${url}${ids[0]}`))) {
    if (mirror.child.exitCode !== null) throw new Error(`The mirror ended: ${(await mirror.ended).err}`);
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  const seconds = (performance.now() - started) / 1_000;
  const { record } = (await (await fetch(`${base}v1/zones`)).json()) as SignedRootRecord;
  for (let asked = 0; asked < ASKED; asked += 1) {
    const id = ids[randomInt(ids.length)] as PassportId;
    const found = await verifyAnswer(await (await fetch(`${url}${id}`)).text(), id, record);
    if (found.kind !== "present") throw new Error(`The mirror does not have ${id}`);
  }
  const [copied, gave] = [cpuMs(mirror.child.pid ?? 0), cpuMs(zone.child.pid ?? 0) - before];
  print(
    `a mirror of ${whole(count)} passports from nothing: ${seconds.toFixed(1)} s (goal for 1,000,000: 300), ${whole(count / seconds)}/s; ${((copied * 1_000) / count).toFixed(0)} µs of the mirror's processor for each, ${((gave * 1_000) / count).toFixed(0)} of the zone's; ${whole(residentMib(mirror.child.pid ?? 0))} MiB at the end; ${ASKED} answers verified`,
  );
  for (const program of [mirror, zone]) await program.stop("SIGKILL");
}
