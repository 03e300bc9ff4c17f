/** What a pod is born with, and what of its card nobody but the account pages may change. */
import { fh, foaf, ldp, solid, space } from "@freehold/vocab";
import { expect } from "chai";
import { createAccess } from "../../server/access/authorize.ts";
import { newPodDocuments } from "../../server/account/new-pod.ts";
import { parseTarget, parseWebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { type Agent, PUBLIC_AGENT } from "../../server/operation.ts";
import { type Statement, violatesProtected } from "../../server/profile.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { type Harness, PASSPORT_ID, startHarness } from "../ui/harness.ts";
import { setUp } from "./client.ts";

const BASE = "https://pods.example/";
const WEBID = `${BASE}ana/profile/card#me`;
const CARD = { baseUrl: BASE, pod: "ana", webid: WEBID, name: "Ana Lima", passport: PASSPORT_ID };

describe("a new pod", () => {
  describe("its documents", () => {
    it("are valid Turtle with any name a person may have", async () => {
      for (const name of [
        'Ana "the cat" Lima',
        "back\\slash",
        "tab\tand\u0001control",
        "\u{1f98a} fox",
        "李小龙",
      ]) {
        for (const { path, bytes, acl } of newPodDocuments({ ...CARD, name })) {
          const url = `${BASE.slice(0, -1)}${path}`;
          const quads = await parseRdf(bytes, "text/turtle", url);
          if (acl !== undefined)
            expect(
              await parseRdf(new TextEncoder().encode(acl), "text/turtle", `${url}.acl`),
            ).to.have.length.above(4);
          if (path === "/ana/profile/card") {
            expect(
              quads
                .filter(({ predicate }) => predicate.value === foaf.name)
                .map(({ object }) => object.value),
            ).to.deep.equal([name]);
          }
        }
      }
    });

    it("say in the card where to sign in, where the pod is, and which passport it has", async () => {
      const card = newPodDocuments(CARD).find(({ path }) => path === "/ana/profile/card")!;
      const quads = await parseRdf(card.bytes, "text/turtle", `${BASE}ana/profile/card`);
      const about = (predicate: string) =>
        quads
          .filter((one) => one.subject.value === WEBID && one.predicate.value === predicate)
          .map(({ object }) => object.value);
      expect(about(solid.oidcIssuer)).to.deep.equal([BASE]);
      expect(about(space.storage)).to.deep.equal([`${BASE}ana/`]);
      expect(about(fh.passport)).to.deep.equal([`did:dcann:${PASSPORT_ID}`]);
      expect(about(ldp.inbox)).to.deep.equal([`${BASE}ana/inbox/`]);
      expect(about(solid.privateTypeIndex)).to.deep.equal([]);
    });
  });

  describe("to others", () => {
    let harness: Harness;
    before(async () => {
      harness = await startHarness();
      await setUp(harness, "Ana Lima", "ana");
    });
    after(() => harness.close());

    const stranger: Agent = {
      ...PUBLIC_AGENT,
      webid: parseWebId("https://elsewhere.example/eve#me"),
      issuer: "https://elsewhere.example/",
    };

    it("is its card, an empty list of what is public, and a place for notices", async () => {
      const { baseUrl, store, pods } = harness;
      const access = createAccess({ baseUrl, pods, store, limits: LIMITS, reachOf: async () => null });
      const pod = (await pods.find("ana"))!;
      const owner: Agent = { ...PUBLIC_AGENT, webid: pod.owner };
      const paths = newPodDocuments({ ...CARD, baseUrl }).map(({ path }) => path);
      expect(paths).to.include.members(["/ana/", "/ana/profile/", "/ana/settings/prefs.ttl", "/ana/inbox/"]);
      await store.read(pod.id, async (snapshot) => {
        for (const path of [...paths, "/ana/profile/card.acl", "/ana/.acl", "/ana/anything/new.ttl"]) {
          const modes = async (agent: Agent) =>
            (await access.permissions(snapshot, pod, agent, parseTarget(path))).user;
          for (const agent of [PUBLIC_AGENT, stranger]) {
            const open = ["/ana/profile/card", "/ana/settings/publicTypeIndex.ttl"].includes(path);
            const mayLeaveNotice = agent === stranger && path === "/ana/inbox/";
            expect(await modes(agent), path).to.deep.equal(
              open ? ["read"] : mayLeaveNotice ? ["append"] : [],
            );
          }
          expect(await modes(owner), path).to.include.members(["read", "write", "control"]);
        }
      });
    });
  });

  describe("its card", () => {
    const read = (turtle: string): Promise<readonly Statement[]> =>
      parseRdf(new TextEncoder().encode(turtle), "text/turtle", `${BASE}ana/profile/card`);
    const base = `
      <#me> <${foaf.name}> "Ana"; <${solid.oidcIssuer}> <${BASE}>; <${space.storage}> <${BASE}ana/>; <${fh.passport}> <did:dcann:x>;
        <http://www.w3.org/ns/auth/cert#key> [ <http://www.w3.org/ns/auth/cert#modulus> "ab" ].`;
    const cases: readonly (readonly [sentence: string, turtle: string, violates: boolean])[] = [
      ["the same again", base, false],
      ["another name", base.replace('"Ana"', '"Ana Lima"'), false],
      ["a friend", `${base} <#me> <${foaf.knows}> <https://ben.example/#me>.`, false],
      ["another issuer", base.replace(`<${BASE}>;`, "<https://evil.example/>;"), true],
      ["one issuer more", `${base} <#me> <${solid.oidcIssuer}> <https://evil.example/>.`, true],
      ["no issuer", base.replace(`<${solid.oidcIssuer}> <${BASE}>;`, ""), true],
      ["another storage", base.replace(`<${BASE}ana/>`, "<https://evil.example/>"), true],
      ["another passport", base.replace("did:dcann:x", "did:dcann:y"), true],
      ["another key", base.replace('"ab"', '"cd"'), true],
      [
        "one key more",
        `${base} <#me> <http://www.w3.org/ns/auth/cert#key> [ <http://www.w3.org/ns/auth/cert#modulus> "cd" ].`,
        true,
      ],
      [
        "another owner of a storage",
        `${base} <${BASE}ana/> <${solid.owner}> <https://evil.example/#me>.`,
        true,
      ],
      ["somebody else's issuer", `${base} <#friend> <${solid.oidcIssuer}> <https://other.example/>.`, false],
      ["nothing at all", "", true],
    ];
    for (const [sentence, turtle, violates] of cases) {
      it(`${violates ? "refuses" : "takes"} ${sentence}`, async () => {
        expect(violatesProtected(await read(base), await read(turtle), WEBID)).to.equal(violates);
      });
    }
  });
});
