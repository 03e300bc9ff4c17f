import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const LDP = "http://www.w3.org/ns/ldp#";
const INBOX = "https://w3id.org/freehold/ns#Inbox";
const JSON_LD = { "content-type": "application/ld+json" };
const NOTICE = JSON.stringify({
  "@id": "",
  "@type": "https://www.w3.org/ns/activitystreams#Announce",
  "https://www.w3.org/ns/activitystreams#object": { "@id": "https://example.net/note" },
});

/** Names are the anchors of https://www.w3.org/TR/ldn/. */
describe("The inbox of a new pod (server-ldn)", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let eve: Person;
  const inbox = () => `${ana.pod}inbox/`;
  const send = (who: Person["fetch"], body: string, headers: Record<string, string> = JSON_LD) =>
    who(inbox(), { method: "POST", headers, body });

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "noticesPerSenderMax=5,noticesPerInboxMax=9" });
    [ana, ben, eve] = [await server.person("ana"), await server.person("ben"), await server.person("eve")];
  });
  after(() => server.close());

  it("is found by the profile: in a header and in the document (test-sender-header-discovery, test-sender-body-discovery)", async () => {
    for (const method of ["GET", "HEAD"]) {
      const card = await fetch(`${ana.pod}profile/card`, { method });
      expect(card.headers.get("link")).to.include(`<${inbox()}>; rel="${LDP}inbox"`);
    }
    expect(await (await fetch(`${ana.pod}profile/card`)).text()).to.include(`<${LDP}inbox> <${inbox()}>`);
    expect(
      (await ana.fetch(`${ana.pod}settings/prefs.ttl`)).headers.get("link"),
      "no other document advertises it",
    ).not.to.include("inbox>; rel");
  });

  it("says what it takes before anything is sent (test-receiver-options-response, test-receiver-get-ldp-constrained-by)", async () => {
    const options = await fetch(inbox(), { method: "OPTIONS" });
    expect(options.headers.get("accept-post")).to.include("application/ld+json").and.include("text/turtle");
    expect(options.headers.get("allow")).to.include("POST");
    expect((await ana.fetch(inbox())).headers.get("link")).to.include(
      `<${INBOX}>; rel="${LDP}constrainedBy"`,
    );
  });

  it("takes JSON-LD with a profile, and Turtle, from whoever has logged in: 201 and Location (test-receiver-post-created, test-receiver-post-link-profile)", async () => {
    const profile = 'application/ld+json;profile="https://www.w3.org/ns/activitystreams"';
    const places: string[] = [];
    for (const [type, body] of [
      [profile, NOTICE],
      ["text/turtle", "<> a <https://www.w3.org/ns/activitystreams#Announce> ."],
    ] as const) {
      const sent = await send(ben.fetch, body, { "content-type": type, slug: "hello" });
      expect(sent.status).to.equal(201);
      places.push(sent.headers.get("location") ?? "");
    }
    expect(new Set(places).size, "nobody guesses the place of another's notice").to.equal(2);
    for (const place of places) {
      expect(place.startsWith(inbox())).to.equal(true);
      for (const accept of ["application/ld+json", "text/turtle"]) {
        const read = await ana.fetch(place, { headers: { accept } });
        expect(read.status).to.equal(200);
        expect(read.headers.get("content-type")).to.equal(accept);
        expect(await read.text()).to.include("https://www.w3.org/ns/activitystreams#Announce");
      }
    }
    const listing = await (await ana.fetch(inbox(), { headers: { accept: "application/ld+json" } })).text();
    expect(listing).to.include(`${LDP}contains`);
    for (const place of places) expect(listing).to.include(place);
  });

  it("takes the examples of the specification as they stand there (payload-examples)", async () => {
    for (const [notice, said] of [
      [{ "@context": "http://schema.org/", "@id": "http://example.net/note#foo", name: "A note" }, "name"],
      [
        {
          "@context": "https://www.w3.org/ns/activitystreams",
          "@id": "",
          "@type": "Announce",
          actor: "https://rhiaro.co.uk/#me",
          object: "http://example.net/note",
        },
        "activitystreams#Announce",
      ],
      [
        {
          "@context": { pingback: "http://purl.org/net/pingback/" },
          "@id": "",
          "@type": "pingback:Item",
          "pingback:source": { "@id": "http://example.net/note#foo" },
        },
        "pingback/Item",
      ],
      [
        {
          "@context": "http://www.w3.org/ns/ldp",
          "@id": "http://example.org/a",
          inbox: "http://example.org/in/",
        },
        "ldp#inbox",
      ],
    ] as const) {
      const sent = await send(ana.fetch, JSON.stringify(notice));
      expect(sent.status).to.equal(201);
      const place = sent.headers.get("location") ?? "";
      expect(await (await ana.fetch(place, { headers: { accept: "text/turtle" } })).text()).to.include(said);
    }
  });

  it("shows nothing to anybody but the owner: not the list, nor a notice, not even to its sender", async () => {
    const place = (await send(ben.fetch, NOTICE)).headers.get("location") ?? "";
    for (const [who, status] of [
      [fetch, 401],
      [ben.fetch, 403],
      [eve.fetch, 403],
    ] as const) {
      for (const url of [inbox(), place, `${inbox()}.acl`, `${inbox()}.meta`]) {
        const refused = await who(url);
        expect(refused.status, url).to.equal(status);
        expect(await refused.text()).not.to.include("Announce");
      }
    }
  });

  it("lets senders do nothing but send", async () => {
    const place = (await send(eve.fetch, NOTICE)).headers.get("location") ?? "";
    const n3 = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. <> a solid:InsertDeletePatch;";
    for (const [method, url, type, body] of [
      ["PUT", place, "text/turtle", "<> <urn:x:is> 1 ."],
      ["PUT", `${inbox()}mine.ttl`, "text/turtle", "<> <urn:x:is> 1 ."],
      ["PUT", inbox(), "text/turtle", "<> <urn:x:is> 1 ."],
      ["PATCH", place, "text/n3", `${n3} solid:inserts { <> <urn:x:is> 1 }.`],
      ["PATCH", inbox(), "text/n3", `${n3} solid:inserts { <> <urn:x:is> 1 }.`],
      ["PATCH", `${inbox()}.meta`, "application/sparql-update", "INSERT DATA { <./> <urn:x:is> 1 }"],
      ["PATCH", `${inbox()}mine.ttl`, "text/n3", `${n3} solid:inserts { <> <urn:x:is> 1 }.`],
      ["DELETE", place, "text/turtle", undefined],
      ["DELETE", inbox(), "text/turtle", undefined],
    ] as const) {
      const refused = await eve.fetch(url, {
        method,
        headers: { "content-type": type },
        ...(body !== undefined && { body }),
      });
      expect(refused.status, `${method} ${url}`).to.equal(403);
    }
    expect(await (await ana.fetch(inbox())).text()).not.to.include("urn:x:is");
  });

  it("refuses what is no notice, by 4xx, and stores nothing of it (test-receiver-post-response-contraints-unmet)", async () => {
    const count = async () => (await (await ana.fetch(inbox())).text()).split("ldp:contains").length;
    const before = await count();
    const large = JSON.stringify({ "@id": "", "https://schema.org/text": "x".repeat(70_000) });
    for (const [what, body, headers, status] of [
      ["a picture", "not really", { "content-type": "image/png" }, 415],
      ["a folder", "", { link: `<${LDP}BasicContainer>; rel="type"` }, 415],
      ["a book", large, JSON_LD, 413],
      ["no type", NOTICE, {}, 400],
      ["nonsense", "{", JSON_LD, 400],
      [
        "a context from elsewhere",
        '{"@context":"https://evil.example/context","@id":"","name":"x"}',
        JSON_LD,
        422,
      ],
    ] as const) {
      const refused = await ben.fetch(inbox(), {
        method: "POST",
        headers,
        body: what === "no type" ? new TextEncoder().encode(body) : body,
      });
      expect(refused.status, what).to.equal(status);
      if (status === 415 || status === 413)
        expect(refused.headers.get("link"), what).to.include(`<${INBOX}>; rel="${LDP}constrainedBy"`);
    }
    expect((await fetch(inbox(), { method: "POST", headers: JSON_LD, body: NOTICE })).status).to.equal(401);
    expect(await count()).to.equal(before);
  });

  it("takes only so many from one sender and from all together, and any number from its owner", async () => {
    const statuses: number[] = [];
    for (let at = 0; at < 6; at++) statuses.push((await send(ben.fetch, NOTICE)).status);
    expect(statuses.at(-1), "Ben has sent enough").to.equal(429);
    const refused = await send(ben.fetch, NOTICE);
    expect(Number(refused.headers.get("retry-after"))).to.be.within(1, 3_600);
    expect((await send(eve.fetch, NOTICE)).status, "Eve has not").to.equal(201);
    for (let at = 0; at < 5; at++) statuses.push((await send(eve.fetch, NOTICE)).status);
    expect(statuses.at(-1), "all together have").to.equal(429);
    for (let at = 0; at < 12; at++) expect((await send(ana.fetch, NOTICE)).status).to.equal(201);
  });

  it("cannot be deleted while the profile leads to it", async () => {
    const listed = [...(await (await ana.fetch(inbox())).text()).matchAll(/ldp:contains <([^>]+)>/g)];
    for (const [, place = ""] of listed) await ana.fetch(place, { method: "DELETE" });
    expect((await ana.fetch(inbox(), { method: "DELETE" })).status).to.equal(409);
    expect((await ana.fetch(inbox())).status).to.equal(200);
  });
});
