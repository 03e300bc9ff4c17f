/** A page of a search is made in the thread: what comes from there is the page, however much was found. */
import { expect } from "chai";
import { parseTarget } from "../../../server/iri.ts";
import { LIMITS } from "../../../server/limits.ts";
import type { Operation } from "../../../server/operation.ts";
import { createSearch, parseSearch } from "../../../server/query/search/endpoint.ts";
import { createTestPod, type TestPod } from "../fixture.ts";

const TEXT = "https://schema.org/text";
const MESSAGE = "https://schema.org/Message";
const NOTES = 3_000;
const note = (n: number): string =>
  `<#n${n}> a <${MESSAGE}>; <${TEXT}> "A garden of ${n} trees${" and bushes".repeat(20)}".`;

interface Page {
  readonly total: number;
  readonly complete: boolean;
  readonly hits: readonly { readonly subject: string; readonly types: readonly string[] }[];
  readonly facets: { readonly types: readonly { readonly value: string; readonly count: number }[] };
  readonly next: string | null;
}

describe("a page of a search", () => {
  let pod: TestPod;
  let bytes: number[] = [];
  before(async () => {
    pod = await createTestPod(
      {
        "many.ttl": Array.from({ length: NOTES }, (_, n) => note(n)).join("\n"),
        "blank.ttl": `[] <${TEXT}> "A zebra". [] <${TEXT}> "Another zebra".`,
      },
      () => true,
    );
  });
  after(() => pod.close());
  beforeEach(() => {
    bytes = [];
  });

  const search = async (query: string, limits = LIMITS): Promise<Page> => {
    const answer: TestPod["queries"]["answer"] = async (...asked) => {
      const result = await pod.queries.answer(...asked);
      bytes.push((result.body as Uint8Array).length);
      return result;
    };
    const operation: Operation = {
      id: "test",
      method: "GET",
      target: parseTarget("/ana/search"),
      url: `${pod.root}search`,
      query,
      agent: { webid: pod.pod.owner, client: null, issuer: null, origin: null },
      headers: {},
      body: null,
    };
    const { body } = await pod.store.read(pod.pod.id, (snapshot) =>
      createSearch({ answer }, limits).answer(snapshot, pod.pod, operation, parseSearch(operation, 100_000)),
    );
    return JSON.parse(Buffer.from(body as Uint8Array).toString()) as Page;
  };

  it("counts all that is found, and only what is on it leaves the thread", async () => {
    const page = await search("q=garden&limit=2");
    expect(page).to.deep.include({ total: NOTES, complete: true });
    expect(page.hits).to.have.length(2);
    expect(page.facets.types).to.deep.equal([{ value: MESSAGE, count: NOTES }]);
    expect(bytes).to.have.length(1);
    expect(bytes[0]).to.be.below(4_096);
  });

  it("the last one has no next", async () => {
    const page = await search(`q=garden&limit=2&offset=${NOTES - 1}`);
    expect(page.hits).to.have.length(1);
    expect(page.next).to.equal(null);
  });

  it("says when there may be more than was looked at", async () => {
    const page = await search("q=garden&limit=1", { ...LIMITS, queryRowsMax: 100 as never });
    expect(page).to.deep.include({ total: 100, complete: false });
  });

  it("names a blank node by its place in this answer, never by what it is called inside", async () => {
    const page = await search("q=zebra");
    expect(page.hits.map(({ subject }) => subject).sort()).to.deep.equal(["_:b0", "_:b1"]);
  });
});
