/** A witness that is killed at any moment: of what it ever answered, no two trees have one size, and each holds the one before. */
import { expect } from "chai";
import { initWitness } from "../../../server/registry/witness/identity.ts";
import { temporaryFolder } from "../../support/store.ts";
import { createTestLog, history, type RunningWitness, startChild, timesOf } from "./logs.ts";

const ROUNDS = 8;

describe("a witness that is killed", function () {
  this.timeout(120_000);

  it("never cosigns two trees of one size, nor one that forgets what it cosigned before", async () => {
    const log = await createTestLog();
    const own = await temporaryFolder();
    const { folder } = own;
    await initWitness(folder, "witness.example/w1");
    const signed: (readonly Uint8Array[])[] = [];
    let trunk: readonly Uint8Array[] = [];

    /** @returns whether the witness cosigned the tree. */
    async function tell(
      witness: RunningWitness,
      old: number,
      entries: readonly Uint8Array[],
    ): Promise<number> {
      const answer = await witness.post(log.request(old, entries)).then(
        async (response) => ({ status: response.status, text: await response.text() }),
        () => ({ status: 0, text: "" }),
      );
      if (answer.status === 200) {
        expect(await timesOf(answer.text, log.note(entries), witness.keys)).to.not.include(null);
        signed.push(entries);
      }
      return answer.status;
    }

    for (let round = 0; round < ROUNDS; round += 1) {
      const witness = await startChild(folder, log.vkey);
      const base = trunk;
      const grown = (name: string) => [...base, ...history(`${name}${round}`, 3)];
      // Two histories that part here: whichever was remembered, the other is refused, also after the kill.
      const telling = Promise.all([
        tell(witness, base.length, grown("a")),
        tell(witness, base.length, grown("b")),
      ]);
      for (let wait = 0; wait < round; wait += 1) await new Promise((done) => setTimeout(done, 1));
      await witness.program.stop("SIGKILL");
      await telling;
      const again = await startChild(folder, log.vkey);
      const size = base.length + 3;
      const statuses: number[] = [];
      for (const name of ["a", "b"]) {
        statuses.push(await tell(again, base.length, grown(name)));
        const same = await tell(again, size, grown(name));
        if (same === 200) trunk = grown(name);
      }
      await again.program.stop("SIGKILL");
      expect(trunk.length, "one of them was cosigned").to.equal(size);
      expect(statuses.filter((status) => status === 200).length).to.be.at.most(1);
    }

    expect(signed.length).to.be.at.least(ROUNDS);
    for (const one of signed) expect(trunk.slice(0, one.length)).to.deep.equal(one);
    await own.remove();
  });
});
