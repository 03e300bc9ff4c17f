/** Every write is an entry in a pod's journal, which no quota counts: others than the owner make so many a minute, and no more. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { setAccess } from "./people.ts";

const MOST = 12;

describe("How much others may write", () => {
  let server: TestServer;
  let [ana, ben, eve]: Person[] = [];
  const put = async (who: Person["fetch"] | undefined, path: string): Promise<Response> =>
    (who ?? fetch)(`${ana?.pod}${path}`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<> <urn:x:is> 1 .",
    });
  const statuses = async (who: Person["fetch"] | undefined, path: string, times: number) => {
    const counts: Record<number, number> = {};
    for (let n = 0; n < times; n++) {
      const { status } = await put(who, path);
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  };
  const entries = async (): Promise<number> => {
    const pod = await server.context.pods.find("ana");
    return pod ? server.context.journal.length(pod) : 0;
  };

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: `writesPerAgentMax=${MOST}` });
    [ana, ben, eve] = [await server.person("ana"), await server.person("ben"), await server.person("eve")];
    for (const [path, to] of [
      ["shared/", ben.webid],
      ["open/", "public"],
    ] as const) {
      await put(ana.fetch, path);
      await setAccess(ana, `${ana.pod}${path}`, [{ to, modes: ["Read", "Write"] }]);
    }
  });
  after(() => server.close());

  it("ends in 429 with the time to wait, and leaves the journal as it is", async () => {
    expect(await statuses(ben?.fetch, "shared/a", MOST)).to.deep.equal({ 201: 1, 204: MOST - 1 });
    const before = await entries();
    const refused = await put(ben?.fetch, "shared/b");
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get("retry-after"))).to.be.within(1, 60 / MOST);
    expect(((await refused.json()) as { type: string }).type).to.match(/too-many-requests$/);
    expect(await statuses(ben?.fetch, "shared/b", 5)).to.deep.equal({ 429: 5 });
    expect((await put(ana?.fetch, "probe")).status).to.equal(201);
    expect(await entries(), "one for the owner's write").to.equal(before + 1);
    expect((await ana?.fetch(`${ana.pod}shared/b`))?.status, "nothing was stored").to.equal(404);
  });

  it("holds nobody else up: not the owner, not another visitor, not reading, not the visitor's own pod", async () => {
    expect(await statuses(ana?.fetch, "shared/a", 3 * MOST)).to.deep.equal({ 204: 3 * MOST });
    expect((await ben?.fetch(`${ana?.pod}shared/a`))?.status).to.equal(200);
    const own = await ben?.fetch(`${ben.pod}mine`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      body: "x",
    });
    expect(own?.status).to.equal(201);
    expect(await statuses(eve?.fetch, "open/eve", MOST)).to.deep.equal({ 201: 1, 204: MOST - 1 });
  });

  it("counts those who do not say who they are by where they come from", async () => {
    expect(await statuses(undefined, "open/a", MOST)).to.deep.equal({ 201: 1, 204: MOST - 1 });
    expect((await put(undefined, "open/a")).status).to.equal(429);
  });

  it("is not used up by what was refused anyway", async () => {
    const gus = await server.person("gus");
    expect(await statuses(gus.fetch, "shared/a", 2 * MOST)).to.deep.equal({ 403: 2 * MOST });
    expect((await put(gus.fetch, "open/gus")).status).to.equal(201);
  });
});
