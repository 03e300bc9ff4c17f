/**
 * Generated rules in both languages, and every door asked over HTTP: what is let in must be what an evaluator says that was
 * written from the specification alone. `test/access/doors.test.ts` does the same in process, for all cells.
 */
import { expect } from "chai";
import fc from "fast-check";
import { type AcpContext, acpOracle } from "../access/acp-oracle.ts";
import { DOORS, type Kind } from "../access/door-table.ts";
import { oracle, type Question } from "../access/oracle.ts";
import type { Fetch } from "../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { write } from "./people.ts";

const ACL = "http://www.w3.org/ns/auth/acl#";
const SEED = 20_261_122;
const WORLDS = 20;
const CELLS = { wac: 5_000, acp: 3_000 } as const;
const AT_ONCE = 16;
const GOOD = "https://good.example";
const EVIL = "https://evil.example";
const MODES = ["read", "append", "write", "control"] as const;
type Mode = (typeof MODES)[number];

/** Who asks: by whose token, from which page. */
interface Asker {
  readonly name: string;
  readonly fetch: Fetch;
  readonly question: Question;
}
type May = (url: string, mode: Mode, asker: Asker) => boolean;

const PREFIXES = `@prefix acl: <${ACL}>. @prefix acp: <http://www.w3.org/ns/solid/acp#>. @prefix foaf: <http://xmlns.com/foaf/0.1/>. @prefix vcard: <http://www.w3.org/2006/vcard/ns#>.\n`;
const PLACES: Readonly<Record<string, Kind>> = {
  "": "folder",
  "sub/": "folder",
  "doc.ttl": "document",
  "photo.bin": "document",
  "sub/leaf.ttl": "document",
  "none.ttl": "nothing",
  "sub/none.ttl": "nothing",
  ".meta": "description",
  "doc.ttl.meta": "description",
  ".rules": "rules",
  "sub/.rules": "rules",
  "sub/leaf.ttl.rules": "rules",
};
/** The deepest first: whoever is cut off from a folder may be cut off from what is in it. */
const GOVERNED = ["sub/leaf.ttl", "doc.ttl", "sub/", ""] as const;

const upTo = <T>(most: number, ...values: readonly T[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: most });

/** Access lists of any kind for a place. @param base The server's, which is its people's issuer. */
function lists(place: string, base: string, people: readonly string[]): fc.Arbitrary<string> {
  const subject = fc.constantFrom(
    "acl:agentClass foaf:Agent",
    "acl:agentClass acl:AuthenticatedAgent",
    ...people.map((webid) => `acl:agent <${webid}>`),
    ...people.map((webid) => `acl:agent <${webid}>; acl:origin <${GOOD}>`),
    `acl:agentGroup <${base}ana/groups.ttl#all>`,
    `acl:origin <${GOOD}>`,
  );
  const condition = fc.constantFrom(
    "",
    "",
    "",
    `; acl:condition [ a acl:IssuerCondition; acl:issuer <${base}> ]`,
    "; acl:condition [ a acl:ClientCondition; acl:client <https://app.example/id> ]",
    "; acl:condition [ a acl:ClientCondition; acl:clientClass foaf:Agent ]",
    "; acl:condition [ a <urn:x#Moon> ]",
  );
  const reach = fc.constantFrom(
    `acl:accessTo <${place}>`,
    `acl:default <${place}>`,
    `acl:accessTo <${place}>; acl:default <${place}>`,
    `acl:accessTo <${place}>; acl:default <${place}>`,
  );
  const modes = upTo(3, "acl:Read", "acl:Append", "acl:Write", "acl:Control", "<urn:x#Sell>");
  return fc
    .array(fc.tuple(reach, subject, modes, condition), { minLength: 1, maxLength: 4 })
    .map((rules) =>
      rules
        .map(
          ([where, who, what, when]) =>
            `[] a acl:Authorization; ${where}; ${who}; acl:mode ${what.join(", ")}${when} .`,
        )
        .join("\n"),
    );
}

/** Policies of any kind for a place. */
function policies(place: string, base: string, people: readonly string[]): fc.Arbitrary<string> {
  const matcher = fc
    .tuple(
      upTo(
        2,
        "acp:PublicAgent",
        "acp:AuthenticatedAgent",
        "acp:OwnerAgent",
        "acp:CreatorAgent",
        ...people.map((webid) => `<${webid}>`),
      ),
      fc.constantFrom(
        "",
        "",
        "",
        `; acp:issuer <${base}>`,
        "; acp:client acp:AuthenticatedClient",
        "; acp:client <https://app.example/id>",
        "; acp:vc <urn:x:Family>",
      ),
    )
    .map(([agents, rest]) => `[ a acp:Matcher; acp:agent ${agents.join(", ")}${rest} ]`);
  const modes = upTo(3, "acl:Read", "acl:Append", "acl:Write", "acl:Control");
  const policy = fc
    .tuple(
      modes,
      fc.option(modes, { freq: 1 }),
      fc.boolean(),
      fc.array(matcher, { minLength: 1, maxLength: 2 }),
      fc.option(matcher, { freq: 1 }),
    )
    .map(([allow, deny, isAll, matchers, none]) => {
      const rules = `acp:allow ${allow.join(", ")}; acp:${isAll ? "allOf" : "anyOf"} ${matchers.join(", ")}`;
      return `[ a acp:Policy; ${rules}${deny ? `; acp:deny ${deny.join(", ")}` : ""}${none ? `; acp:noneOf ${none}` : ""} ]`;
    });
  const control = fc
    .array(policy, { maxLength: 2 })
    .map((all) => (all.length === 0 ? null : `[ acp:apply ${all.join(", ")} ]`));
  return fc.tuple(control, control).map(([own, below]) => {
    const links = `${own ? `; acp:accessControl ${own}` : ""}${below ? `; acp:memberAccessControl ${below}` : ""}`;
    return `[] a acp:AccessControlResource; acp:resource <${place}>${links} .`;
  });
}

async function inTurns<T>(work: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const queue = [...work];
  const turn = async (): Promise<void> => {
    for (let one = queue.pop(); one !== undefined; one = queue.pop()) await act(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
}

for (const language of ["wac", "acp"] as const) {
  const ending = language === "wac" ? ".acl" : ".acr";

  describe(`generated rules in ${language}, every door over HTTP`, () => {
    let server: TestServer;
    let ana: Person;
    let askers: readonly Asker[];
    let may: May;
    const documents: Record<string, string> = {};
    const worlds = Array.from({ length: WORLDS }, (_, number) => `w${number}/`);
    const urlOf = (world: string, place: string): string =>
      `${ana.pod}${world}${place.replace(".rules", ending)}`;

    before(async function () {
      this.timeout(60_000);
      server = await startServer({
        FREEHOLD_ACCESS: language,
        FREEHOLD_LIMITS:
          "queriesPerAgentMax=1000,queryRowsMax=100000,writesPerAgentMax=100000,subscriptionsPerAgentMax=1000",
      });
      ana = await server.person("ana");
      const [ben, cleo] = [await server.person("ben"), await server.person("cleo")];
      const asker = (name: string, person: Person | null, origin: string | null): Asker => ({
        name: `${name}${origin ? ` from ${origin}` : ""}`,
        fetch: (input, init) => {
          const headers = {
            ...(init?.headers as Record<string, string> | undefined),
            ...(origin && { origin }),
          };
          return (person?.fetch ?? fetch)(input, { ...init, headers });
        },
        question: {
          webid: person?.webid ?? null,
          client: person?.credentials.id ?? null,
          issuer: person && server.baseUrl,
          origin,
        },
      });
      askers = [
        asker("the public", null, null),
        asker("the public", null, EVIL),
        asker("ana", ana, null),
        asker("ana", ana, EVIL),
        asker("ben", ben, null),
        asker("ben", ben, GOOD),
        asker("ben", ben, EVIL),
        asker("cleo", cleo, null),
        asker("cleo", cleo, GOOD),
      ];
      const put = async (url: string, body: string, contentType = "text/turtle"): Promise<void> => {
        documents[url] = body;
        await write(ana, url, body, contentType);
      };
      documents[`${ana.pod}${ending}`] = await (await ana.fetch(`${ana.pod}${ending}`)).text();
      await put(`${ana.pod}groups.ttl`, `${PREFIXES}<#all> a vcard:Group; vcard:hasMember <${cleo.webid}>.`);
      const people = [ben.webid, cleo.webid, ana.webid];
      const arbitrary = language === "wac" ? lists : policies;
      for (const [index, world] of worlds.entries()) {
        for (const place of ["doc.ttl", "sub/leaf.ttl"]) await write(ana, urlOf(world, place));
        await write(ana, urlOf(world, "photo.bin"), "not a photo", "image/png");
        const [isGoverned] = fc.sample(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), {
          seed: SEED + index,
          numRuns: 1,
        });
        for (const [at, place] of GOVERNED.entries()) {
          if (place !== "" && !isGoverned?.[at]) continue;
          const [rules = ""] = fc.sample(arbitrary(urlOf(world, place), server.baseUrl, people), {
            seed: SEED * 7 + index * 4 + at,
            numRuns: 1,
          });
          await put(urlOf(world, `${place}.rules`), PREFIXES + rules);
        }
      }
      const root = ana.pod;
      const contextOf = ({ question: { webid, client, issuer } }: Asker, url: string): AcpContext => ({
        agent: webid,
        client,
        issuer,
        owners: [ana.webid],
        creators: /none\.ttl/.test(url) ? [] : [ana.webid], // She made all that is there.
        vcs: [],
      });
      may =
        language === "wac"
          ? (url, mode, { question }) =>
              oracle(
                { documents, root, owner: ana.webid, ownOrigin: new URL(root).origin },
                url,
                mode,
                question,
              )
          : (url, mode, one) => acpOracle({ documents, root }, url, mode, contextOf(one, url));
    });
    after(() => server.close());

    it("let in exactly whom the specification lets in", async function () {
      this.timeout(60_000);
      const all = worlds.flatMap((world) =>
        Object.entries(PLACES).flatMap(([place, kind]) =>
          DOORS.filter(({ kinds }) => kinds.includes(kind)).flatMap((door) =>
            askers.map((asker) => ({ world, place, kind, door, asker })),
          ),
        ),
      );
      const [sample = []] = fc.sample(
        fc.shuffledSubarray(all, { minLength: CELLS[language], maxLength: CELLS[language] }),
        { seed: SEED, numRuns: 1 },
      );
      let granted = 0;
      const wrong: string[] = [];
      await inTurns(sample, async ({ world, place, kind, door, asker }) => {
        const url = urlOf(world, place);
        const response = await asker.fetch(url, door.init);
        await response.arrayBuffer();
        const isAllowed = door.byText(url, kind).every(([where, mode]) => may(where, mode, asker));
        if (isAllowed) granted += 1;
        const expected = isAllowed
          ? door.needs.name === "needsOfRead"
            ? [200, 404]
            : [412, 404]
          : [asker.question.webid === null ? 401 : 403];
        if (!expected.includes(response.status))
          wrong.push(`${door.name} ${url} by ${asker.name}: ${response.status} for ${expected.join(" or ")}`);
        const told = response.headers.get("wac-allow");
        if (door.needs.name !== "needsOfRead") return;
        const modes = MODES.filter(
          (mode) => may(url, mode, asker) && (kind !== "rules" || may(url, "control", asker)),
        );
        const seen =
          /user="([^"]*)"/
            .exec(told ?? "")?.[1]
            ?.split(" ")
            .filter(Boolean) ?? null;
        if (seen?.toSorted().join() !== modes.toSorted().join())
          wrong.push(`WAC-Allow of ${url} for ${asker.name}: ${told}, not ${modes.join(" ")}`);
      });
      expect(wrong.slice(0, 20)).to.deep.equal([]);
      expect(sample.length).to.equal(CELLS[language]);
      expect(granted / sample.length, "a share of yes that shows something").to.be.within(0.1, 0.8);
    });

    it("show in a query exactly the graphs that the agent may read", async function () {
      this.timeout(60_000);
      const query = encodeURIComponent("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }");
      for (const asker of askers) {
        const response = await asker.fetch(`${ana.pod}sparql?query=${query}`, {
          headers: { accept: "application/sparql-results+json" },
        });
        const isOpen = response.status === 200;
        const answer = isOpen
          ? ((await response.json()) as { results: { bindings: { g: { value: string } }[] } })
          : null;
        const seen = new Set(answer?.results.bindings.map(({ g }) => g.value));
        for (const world of worlds)
          for (const [place, kind] of Object.entries(PLACES)) {
            const url = urlOf(world, place);
            const isGraph =
              kind === "rules"
                ? url in documents
                : kind === "folder" || place.endsWith("doc.ttl") || place.endsWith("leaf.ttl");
            const expected = isGraph && may(url, kind === "rules" ? "control" : "read", asker);
            expect(seen.has(url), `${url} for ${asker.name}`).to.equal(expected);
          }
      }
    });

    it("keep the journal for the owner, and the trash and the history for the owner's own pages", async () => {
      for (const asker of askers) {
        const isOwner = asker.question.webid === ana.webid;
        const refused = asker.question.webid === null ? 401 : 403;
        const journal = await asker.fetch(`${ana.pod}.journal/`);
        expect(journal.status, asker.name).to.equal(isOwner ? 200 : refused);
        for (const door of ["trash", "history?path=/ana/groups.ttl", "restrictions", "overview"]) {
          const response = await asker.fetch(`${server.baseUrl}.account/${door}`);
          expect(response.status, `${door} for ${asker.name}`).to.equal(401);
          expect(await response.text()).not.to.include("groups");
        }
      }
    });

    it("tell of changes only whom they let read", async () => {
      for (const world of worlds.slice(0, 4))
        for (const [place, kind] of Object.entries(PLACES)) {
          if (kind !== "document" && kind !== "folder") continue;
          const topic = urlOf(world, place);
          await inTurns(askers, async (asker) => {
            const response = await asker.fetch(`${ana.pod}.notifications/StreamingHTTPChannel2023`, {
              method: "POST",
              headers: { "content-type": "application/ld+json" },
              body: JSON.stringify({
                "@context": ["https://www.w3.org/ns/solid/notification/v1"],
                type: "http://www.w3.org/ns/solid/notifications#StreamingHTTPChannel2023",
                topic,
              }),
            });
            const refused = asker.question.webid === null ? 401 : 403;
            const answer = await response.text();
            expect(response.status, `${topic} for ${asker.name}: ${answer}`).to.equal(
              may(topic, "read", asker) ? 200 : refused,
            );
          });
        }
    });

    it("say of OPTIONS what hangs on the address alone", async () => {
      for (const [place, kind] of Object.entries(PLACES)) {
        const answers = await Promise.all(
          askers.map(async (asker) => {
            const response = await asker.fetch(urlOf("w0/", place), { method: "OPTIONS" });
            return [response.status, response.headers.get("allow"), response.headers.get("link")].join(" ");
          }),
        );
        expect(new Set(answers).size, kind).to.equal(1);
        expect(answers[0]).to.match(/^204 /);
      }
    });
  });
}
