/**
 * A registry of eight billion passports, on paper: `npm run simulate:registry`. What can be measured here is measured (bytes
 * of real operations, hashes, signatures); the rest is arithmetic, printed beside it, from the rates that are said first.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { generateKeyPair, verifySignature } from "@freehold/client/registry";
import { exampleBundle } from "./registry-bundle.ts";
import {
  emptySiblings,
  hashesPerEpoch,
  hitRateOfFeed,
  hitRateOfTtl,
  lastLeafPath,
  playCache,
  proofDepth,
  seeded,
} from "./registry-model.ts";

const WORLD = 8_000_000_000;
const ZONES = [
  ["the world", WORLD],
  ["the largest zone", 1_450_000_000],
  ["Switzerland", 9_100_000],
] as const;

// Assumed, not measured.
const OPERATIONS_A_YEAR = 2;
const RECOMMITS_A_YEAR = 1; // At New Year every passport begins in a new log.
const RESOLUTIONS_A_DAY = 20;
const ROTATIONS = 2; // In a life so far, for the state; one of them in the bundle, as in the examples of the design.
const WITNESSES = 3;
const SECONDS_A_YEAR = 365.25 * 86_400;
const EPOCHS_A_YEAR = SECONDS_A_YEAR; // One a second, each with a leaf of its own.

const LEAF_BYTES = 65 + 2; // Its length stands before it in a tile of entries.
const TILE_HASH_BYTES = 32 * (1 + 1 / 255); // Level 0, and 1/256 of it in each level above.
const INDEX_BYTES = 200; // Keys, statuses and times of a passport's row.

const print = (line = ""): void => void process.stdout.write(`${line}\n`);
const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
const percent = (share: number): string => `${(100 * share).toFixed(share > 0.99 ? 2 : 1)} %`;

function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let [amount, unit] = [value, 0];
  while (amount >= 1_000 && unit < units.length - 1) [amount, unit] = [amount / 1_000, unit + 1];
  return `${unit === 0 ? whole(amount) : amount.toPrecision(3)} ${units[unit]}`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const cells of [columns, columns.map((_, at) => (at === 0 ? "---" : "---:")), ...rows])
    print(`| ${cells.join(" | ")} |`);
  print();
}

/** @returns microseconds of one. */
function timeOf(times: number, work: () => void): number {
  work();
  const started = performance.now();
  for (let done = 0; done < times; done += 1) work();
  return ((performance.now() - started) * 1_000) / times;
}

async function measure() {
  const node = randomBytes(65);
  const hash = timeOf(200_000, () => createHash("sha256").update(node).digest());
  const commit = timeOf(100_000, () => createHmac("sha256", node).update(node).digest());
  const pair = await generateKeyPair();
  const text = new Uint8Array(800);
  const signature = await pair.sign(text);
  const started = performance.now();
  for (let done = 0; done < 2_000; done += 1) await verifySignature(pair.key, signature, text);
  return { hash, commit, verify: ((performance.now() - started) * 1_000) / 2_000 };
}

async function bundles(): Promise<Awaited<ReturnType<typeof exampleBundle>>["size"]> {
  print("## Bundles: one resolution, provable offline\n");
  const rows: string[][] = [];
  let largest: Awaited<ReturnType<typeof exampleBundle>>["size"] | null = null;
  for (const keys of [7, 1_000_000, 9_100_000, 1_450_000_000, 2 ** 33]) {
    const leaves = BigInt(keys) * 2n;
    const [depth, logPath] = [proofDepth(keys), lastLeafPath(leaves)];
    const make = async (mapPath: number, rotations: number) =>
      (
        await exampleBundle({
          rotations,
          mapPath: Math.round(mapPath),
          emptySiblings: emptySiblings(keys, Math.round(mapPath)),
          logPath,
          leaves,
          keys,
          witnesses: WITNESSES,
        })
      ).size;
    const usual = await make(depth.mean, 1);
    largest = usual;
    rows.push([
      keys === 2 ** 33 ? "2^33" : whole(keys),
      depth.mean.toFixed(1),
      String(depth.rare),
      `${emptySiblings(keys, Math.round(depth.mean)).toFixed(1)} / ${emptySiblings(keys, depth.rare).toFixed(1)}`,
      String(logPath),
      bytes((await make(depth.mean, 0)).total),
      bytes(usual.total),
      bytes((await make(depth.rare, 1)).total),
    ]);
  }
  table(
    [
      "passports",
      "map path, mean",
      "all but 1 in 1,000",
      "of them empty",
      "log path",
      "never rotated",
      "rotated once",
      "the same, deep in the map",
    ],
    rows,
  );
  print(
    "Depth: chance(≤ d) = (1 − 2^−d)^(N − 1); an empty sibling is written in 3 B instead of 46. The log's last leaf has one sibling for each bit set in its index.",
  );
  if (!largest) throw new Error("Nothing was measured");
  print(
    `At 2^33: create ${largest.create} + rotate ${largest.rotate} + data ${largest.data} + checkpoint ${largest.checkpoint} B ` +
      `(${WITNESSES} witnesses) + two paths of 46 B a hash. Goal: at most 6.5 KB.\n`,
  );
  return largest;
}

const size = await measure();
print("# A registry of any size\n");
print(
  `Measured now: a hash of a node ${size.hash.toFixed(2)} µs, a commitment ${size.commit.toFixed(2)} µs, a signature's check ${size.verify.toFixed(0)} µs.`,
);
print(
  `Assumed: ${OPERATIONS_A_YEAR} operations a year for each passport and ${RECOMMITS_A_YEAR} new commitment at New Year; ${RESOLUTIONS_A_DAY} resolutions a day; an epoch a second.\n`,
);
const example = await bundles();
const LEAVES_A_YEAR = OPERATIONS_A_YEAR + RECOMMITS_A_YEAR;
const STATE_BYTES = example.create + ROTATIONS * example.rotate + example.data + INDEX_BYTES + 2 * 64;

print("## Logs and state\n");
table(
  ["quantity", ...ZONES.map(([name]) => name), "arithmetic"],
  [
    [
      "leaves a second, mean",
      ...ZONES.map(([, keys]) => ((keys * LEAVES_A_YEAR) / SECONDS_A_YEAR).toPrecision(3)),
      `N × ${LEAVES_A_YEAR} ÷ ${whole(SECONDS_A_YEAR)}`,
    ],
    [
      "growth of the log a year",
      ...ZONES.map(([, keys]) =>
        bytes((keys * LEAVES_A_YEAR + EPOCHS_A_YEAR) * (LEAF_BYTES + TILE_HASH_BYTES)),
      ),
      `(N × ${LEAVES_A_YEAR} + epochs) × (${LEAF_BYTES} + ${TILE_HASH_BYTES.toFixed(1)}) B`,
    ],
    [
      "state",
      ...ZONES.map(([, keys]) => bytes(keys * STATE_BYTES)),
      `N × ${whole(STATE_BYTES)} B (create, ${ROTATIONS} rotates, data, index, map)`,
    ],
    [
      "of it the map",
      ...ZONES.map(([, keys]) => bytes(keys * 128)),
      "N × (64 B key and commitment + 64 B nodes)",
    ],
    [
      "change feed a day",
      ...ZONES.map(([, keys]) => bytes((keys * LEAVES_A_YEAR * LEAF_BYTES) / 365.25)),
      `N × ${LEAVES_A_YEAR} × ${LEAF_BYTES} B ÷ 365.25`,
    ],
    [
      "everybody enrols in 90 days, a second",
      ...ZONES.map(([, keys]) => whole(keys / (90 * 86_400))),
      "N ÷ 90 days",
    ],
    [
      "resolutions a second without a cache",
      ...ZONES.map(([, keys]) => whole((keys * RESOLUTIONS_A_DAY) / 86_400)),
      `N × ${RESOLUTIONS_A_DAY} ÷ 86,400`,
    ],
  ],
);

print("## An epoch of one second\n");
table(
  ["changes", ...ZONES.map(([name]) => `${name}: hashes`), "time, one core"],
  [100, 1_000, 3_000].map((changes) => {
    const hashes = ZONES.map(([, keys]) => hashesPerEpoch(keys, changes));
    return [
      whole(changes),
      ...hashes.map(whole),
      `${((Math.max(...hashes) * size.hash) / 1_000).toFixed(0)} ms`,
    ];
  }),
);
print(
  "Nodes of the map that are hashed anew: Σ over depths d of 2^d × (1 − (1 − 2^−d)^changes), and the leaves.\n",
);

print("## Caches\n");
const CHANGES_A_DAY = OPERATIONS_A_YEAR / 365.25;
const random = seeded(1);
const TIMES = 200_000;
const play = (reads: number, ttlDays: number | null): string =>
  percent(playCache({ reads, changes: CHANGES_A_DAY, ttlDays, times: TIMES }, random));
table(
  [
    "reads a day, of one passport by one resolver",
    "kept 5 min",
    "kept 1 h",
    "kept 24 h",
    "following the feed",
  ],
  [1, RESOLUTIONS_A_DAY].map((reads) => [
    String(reads),
    ...[5 / 1_440, 1 / 24, 1].map((days) => `${percent(hitRateOfTtl(reads, days))} (${play(reads, days)})`),
    `${percent(hitRateOfFeed(reads, CHANGES_A_DAY))} (${play(reads, null)})`,
  ]),
);
print(
  `λT ÷ (1 + λT) and λ ÷ (λ + μ); in brackets, ${whole(TIMES)} reads played with seed 1. A resolver that follows the feed asks only for what it has not, or what changed.`,
);
const missed = 1 - hitRateOfFeed(1, CHANGES_A_DAY);
print(
  `Where each resolver reads a passport once a day, the origins of the world answer ${whole(((WORLD * RESOLUTIONS_A_DAY) / 86_400) * missed)} reads a second in place of ${whole((WORLD * RESOLUTIONS_A_DAY) / 86_400)}.`,
);
