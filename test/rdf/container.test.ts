import { expect } from "chai";
import { containerQuads, containerTurtle, type Member } from "../../server/rdf/container.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { keyOfTriple } from "../../server/rdf/terms.ts";

const URL_ = "https://pod.example/ana/notes/";
const record = (kind: "container" | "rdf" | "binary", contentType: string, bytes = 12) => ({
  kind,
  contentType,
  bytes,
  modified: 1_700_000_000_999,
});
const MEMBERS: readonly Member[] = [
  { name: "today.ttl", record: record("rdf", "text/turtle") },
  { name: "a%20b:c.png", record: record("binary", 'image/png; name="x"') },
  { name: "deeper/", record: record("container", "text/turtle", 0) },
  { name: "strange", record: record("binary", "<script>") },
  { name: "urn:like", record: record("binary", "application/octet-stream") },
];

const turtleOf = async (members: Iterable<Member> | AsyncIterable<Member>): Promise<Uint8Array> =>
  Buffer.concat(await Array.fromAsync(containerTurtle(URL_, members, { modified: 1_600_000_000_000 })));
const sorted = (keys: Iterable<string>): string[] => [...keys].sort((a, b) => (a < b ? -1 : 1));

describe("a container's listing", () => {
  it("says the same as triples and as Turtle", async () => {
    const expected = sorted(containerQuads(URL_, MEMBERS, { modified: 1_600_000_000_000 }).map(keyOfTriple));
    const written = await parseRdf(await turtleOf(MEMBERS), "text/turtle", "https://elsewhere.example/");
    expect(sorted(written.map(keyOfTriple))).to.deep.equal(expected);
    async function* later() {
      yield* MEMBERS;
    }
    expect(await turtleOf(later())).to.deep.equal(await turtleOf(MEMBERS));
  });

  it("says what the Solid Protocol wants of each member", () => {
    const said = new Set(
      containerQuads(URL_, MEMBERS, { modified: 0 }).map(
        ({ subject, predicate, object }) => `${subject.value} ${predicate.value} ${object.value}`,
      ),
    );
    expect(said).to.include(`${URL_} http://www.w3.org/ns/ldp#contains ${URL_}today.ttl`);
    expect(said).to.include(
      `${URL_}today.ttl http://www.w3.org/1999/02/22-rdf-syntax-ns#type http://www.w3.org/ns/iana/media-types/text/turtle#Resource`,
    );
    expect(said).to.include(`${URL_}today.ttl http://www.w3.org/ns/posix/stat#size 12`);
    expect(said).to.include(`${URL_}today.ttl http://www.w3.org/ns/posix/stat#mtime 1700000000`);
    expect(said).to.include(`${URL_}today.ttl http://purl.org/dc/terms/modified 2023-11-14T22:13:20Z`);
    expect(said).to.include(
      `${URL_}deeper/ http://www.w3.org/1999/02/22-rdf-syntax-ns#type http://www.w3.org/ns/ldp#BasicContainer`,
    );
    expect(said).to.not.include(`${URL_}deeper/ http://www.w3.org/ns/posix/stat#size 0`);
  });

  it("a stranger's media type makes no class and breaks nothing", async () => {
    const text = new TextDecoder().decode(await turtleOf(MEMBERS));
    expect(text).to.not.include("<script>");
    expect(text).to.include("image/png#Resource");
  });

  it("writes 10,000 members in a few chunks and little time", async () => {
    const members = Array.from({ length: 10_000 }, (_, at) => ({
      name: `document-${at}.ttl`,
      record: { ...record("rdf", "text/turtle", at), modified: 1_700_000_000_000 + at * 1_000 },
    }));
    let best = Number.POSITIVE_INFINITY;
    let chunks = 0;
    for (let round = 0; round < 5; round++) {
      const before = process.cpuUsage();
      chunks = (await Array.fromAsync(containerTurtle(URL_, members, { modified: 0 }))).length;
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1_000);
    }
    expect(chunks).to.be.within(10, 200);
    expect(best, "CPU milliseconds").to.be.below(60); // About 15 on an idle machine.
  });
});
