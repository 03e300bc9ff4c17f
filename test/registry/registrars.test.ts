import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { Problem } from "../../server/errors.ts";
import type { Book } from "../../server/registry/registrars/book.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { sanction } from "./governance-cases.ts";

const LOCAL = { party: "registrar", id: "local" } as const;

describe("a registrar", function () {
  this.timeout(60_000);
  let server: TestServer;
  let book: Book;
  let count = 0;

  beforeEach(async () => {
    server = await startServer();
    book = server.context.registry!.books[0]!;
  });
  afterEach(() => server.close());

  /** @returns the code of the refusal, or null. */
  async function opening(): Promise<string | null> {
    count += 1;
    try {
      await createPerson(server.context, {
        name: "Ana",
        podName: `ana-${count}`,
        password: "a long password",
      });
      return null;
    } catch (error) {
      if (error instanceof Problem) return error.code;
      throw error;
    }
  }
  const card = async () => {
    const url = `${server.baseUrl}v1/registrars/local`;
    return (await (await fetch(url)).json()) as {
      status: string;
      warnings: number;
      scorecard: {
        createdToday: number;
        createPerDay: number;
        last30Days: Record<string, number>;
        sanctions: number;
      };
    };
  };

  it("opens nothing while it is suspended, and goes on for those it has; then it opens again", async () => {
    expect(await opening()).to.equal(null);
    await book.add(sanction("suspend", "sponsorship", LOCAL));
    expect(await opening()).to.equal("operation-invalid");
    const moved = await server.context.identity.hosting.publish(`ana-${count - 1}`, {
      webid: [`${server.baseUrl}ana-${count - 1}/profile/card#me`],
      storage: `${server.baseUrl}elsewhere/`,
    });
    expect(moved.dseq).to.equal(2);
    await book.add(sanction("reinstate", null, LOCAL));
    expect(await opening()).to.equal(null);
  });

  it("opens as many passports a day as its entry says, and is told when to come again", async () => {
    const { record } = (await book.current()).registrars.get("local")!;
    const { v: _v, zone: _z, n: _n, prev: _p, at: _a, ...entry } = record;
    await book.add({ ...entry, createPerDay: 2 });
    expect([await opening(), await opening(), await opening()]).to.deep.equal([
      null,
      null,
      "too-many-requests",
    ]);
    const { scorecard } = await card();
    expect([scorecard.createdToday, scorecard.createPerDay]).to.deep.equal([2, 2]);
    expect(scorecard.last30Days).to.include({ create: 2 });
  });

  it("is warned for all to see, and is as free as before", async () => {
    await book.add(sanction("warn", "no-lock-in", LOCAL));
    expect(await opening()).to.equal(null);
    const { status, warnings, scorecard } = await card();
    expect([status, warnings, scorecard.sanctions]).to.deep.equal(["active", 1, 1]);
  });

  it("is in the log: each record of governance is one of its leaves, and nothing else of it", async () => {
    await book.add(sanction("warn", "no-lock-in", LOCAL));
    const zone = server.context.registry!.zones[0]!;
    const logged: string[] = [];
    for await (const leaf of zone.leaves(0, zone.published().size))
      if (leaf.kind === "governance") logged.push(Buffer.from(leaf.hash).toString("base64url"));
    const chain = await (await fetch(`${server.baseUrl}v1/governance?after=0`)).json();
    const { records } = chain as { records: { record: { n: number; prev: string | null } }[] };
    expect(records.length).to.equal(3); // The policy, this server, and the warning.
    expect(records.slice(1).map(({ record }) => record.prev)).to.deep.equal(logged.slice(0, -1));
    expect(logged.length).to.equal(3);
  });
});
