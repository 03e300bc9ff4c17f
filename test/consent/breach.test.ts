import { expect } from "chai";
import { type BreachEntry, breachText, composeBreach, readPeriod } from "../../server/consent/breach.ts";
import type { Grant } from "../../server/consent/model.ts";
import { Problem } from "../../server/errors.ts";
import { parseWebId } from "../../server/iri.ts";
import type { Pod } from "../../server/store/pods.ts";
import { SERVER_POD } from "../../server/store/store.ts";
import { ANA, BANK, BASE, DAY, draft, policy, SHOP, START } from "./grant-fixture.ts";

const pod: Pod = { id: SERVER_POD, name: "ana", owner: parseWebId(ANA), created: START - 400 * DAY };
const HEALTH = "https://w3id.org/dpv/pd#MedicalHealth";
const urlOf = (id: string): string => `${BASE}ana/.consent/grants/${id}`;
const limits = { breachEntriesMax: 10_000 };

const LOOK: BreachEntry = {
  time: START,
  since: null,
  count: 1,
  act: "look",
  agent: SHOP,
  client: null,
  path: "/ana/a.ttl",
  decision: "granted",
  purpose: null,
  grant: urlOf("g1"),
  rows: null,
  documents: null,
  bytes: 10,
};
const entry = (rest: Partial<BreachEntry>): BreachEntry => ({ ...LOOK, ...rest });

const grant = (id: string, assignee: string, category: string): [string, Grant] => [
  urlOf(id),
  {
    ...draft([policy({ categories: [category] })], { assignee, controller: assignee }),
    id,
    state: "Active",
    issued: START,
    changed: START,
    assigner: ANA,
    views: [null],
    reason: null,
    supersedes: null,
  },
];
const grants = new Map([grant("g1", SHOP, HEALTH), grant("g2", BANK, "https://w3id.org/dpv/pd#Contact")]);

/** Null is an entry that was erased. */
async function noticeOf(
  entries: readonly (BreachEntry | null)[],
  rest: { readonly vendor?: string; readonly max?: number } = {},
) {
  let reads = 0;
  const journal = {
    flush: async () => {},
    length: async () => entries.length,
    read: async (_pod: Pod, after: number, most: number) => {
      reads++;
      return entries.slice(after, after + most).map((one, at) => ({ number: after + at + 1, entry: one }));
    },
  };
  const question = { from: START - DAY, to: START + DAY, vendor: rest.vendor ?? null, known: START + DAY };
  const found = await readPeriod(journal, pod, question, {
    breachEntriesMax: rest.max ?? limits.breachEntriesMax,
  });
  const place = { pod, storage: `${BASE}ana/`, composed: START + 2 * DAY };
  return { notice: composeBreach(place, question, found, grants), reads };
}

describe("a breach notice", () => {
  it("adds up what each read, and of which kinds by its own grants", async () => {
    const { notice } = await noticeOf([
      entry({}),
      entry({ act: "query", documents: 40, rows: 7, path: "/ana/sparql" }),
      entry({ agent: BANK, grant: urlOf("g2"), count: 5, since: START - 1_000, bytes: 50 }),
    ]);
    expect(
      notice.readers.map(({ agent, reads, documents, rows, bytes }) => [
        agent,
        reads,
        documents,
        rows,
        bytes,
      ]),
    ).to.deep.equal([
      [SHOP, 2, 41, 7, 20],
      [BANK, 5, 5, 0, 50],
    ]);
    expect(notice.readers.map(({ categories }) => categories.map(({ category }) => category))).to.deep.equal([
      [HEALTH],
      ["https://w3id.org/dpv/pd#Contact"],
    ]);
    expect(notice.readers[1]?.first).to.equal(new Date(START - 1_000).toISOString());
  });

  it("leaves out the owner, the server, refusals, writes, strangers, and other times", async () => {
    const { notice } = await noticeOf([
      entry({ agent: ANA }),
      entry({ agent: "server" }),
      entry({ agent: null, grant: null }),
      entry({ decision: "denied" }),
      entry({ act: "change" }),
      entry({ time: START - DAY - 1 }),
      entry({ time: START + DAY + 1 }),
    ]);
    expect(notice).to.deep.include({ reads: 0, documents: 0, readers: [], categories: [] });
    expect(breachText(notice)).to.include("Nothing was read.");
  });

  it("counts whoever runs the server as anybody else", async () =>
    expect((await noticeOf([entry({ agent: "operator", grant: null })])).notice.readers[0]).to.include({
      agent: "operator",
      readsWithoutGrant: 1,
    }));

  it("says what was done since, also after the time that is asked about", async () => {
    const { notice } = await noticeOf(
      [
        entry({}),
        entry({ act: "pause", agent: "server", time: START + 3 * DAY }),
        entry({ act: "revoke", agent: ANA, time: START + 4 * DAY }),
        entry({ act: "revoke", agent: ANA, time: START + 4 * DAY, grant: urlOf("g2") }),
      ],
      { vendor: SHOP },
    );
    expect(notice.measures.map(({ act, grant: of }) => [act, of])).to.deep.equal([
      ["pause", urlOf("g1")],
      ["revoke", urlOf("g1")],
    ]);
  });

  it("says how much of the journal was erased, for of that nobody knows", async () => {
    const { notice } = await noticeOf([null, entry({}), null]);
    expect(notice.erasedEntries).to.equal(2);
    expect(breachText(notice)).to.include("2 entries of the journal around that time were erased");
  });

  it("reads backwards, and no further than it must", async () => {
    const old = Array.from({ length: 4_000 }, () => entry({ time: START - 10 * DAY }));
    const { notice, reads } = await noticeOf([...old, entry({})]);
    expect(notice.reads).to.equal(1);
    expect(reads).to.equal(2);
  });

  it("is not made of more than it may be", async () => {
    const many = Array.from({ length: 2_000 }, () => entry({}));
    const refusal = await noticeOf(many, { max: 1_000 }).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(Problem).and.include({ code: "input-invalid" });
  });
});
