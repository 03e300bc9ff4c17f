/** kill -9 in the middle of epochs: what was acknowledged is there, and of one size there is one tree. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type PassportId, parseNote } from "@freehold/client/registry";
import { expect } from "chai";
import type { Tree } from "../../../server/registry/zone/lock.ts";
import { temporaryFolder } from "../../support/store.ts";
import { createWorld } from "./world.ts";

const KILLS = 6;

interface Ack {
  readonly id: PassportId;
  readonly name: string;
  readonly dseq: number;
}

type Said = "ready" | Ack | Tree;

/** Runs the zone until it has said so much; the kill comes in the middle of whatever it does then. */
async function workUntilKilled(folder: string, first: number, most: number): Promise<Said[]> {
  const script = new URL("./kill-child.ts", import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [script, folder, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (!child.stdout) throw new Error("the child has no output");
  const lines = createInterface({ input: child.stdout });
  const said: Said[] = [];
  lines.on("line", (line) => {
    said.push(JSON.parse(line) as Said);
    if (said.length === most) child.kill("SIGKILL");
  });
  const [[, signal]] = await Promise.all([once(child, "exit"), once(lines, "close")]);
  expect(signal, "the child did not end by itself").to.equal("SIGKILL");
  return said;
}

describe("a zone that is killed in the middle of its epochs", function () {
  this.timeout(180_000);

  it(`${KILLS} times, loses nothing that it acknowledged and never binds itself to two trees of one size`, async () => {
    const temporary = await temporaryFolder();
    const { folder } = temporary;
    const trees = new Map<number, string>();
    const acks: Ack[] = [];
    const bind = ({ size, root }: Pick<Tree, "size" | "root">): void => {
      expect(trees.get(size) ?? root, `the tree of ${size} leaves`).to.equal(root);
      trees.set(size, root);
    };
    for (let round = 0; round < KILLS; round += 1) {
      const said = await workUntilKilled(folder, round * 1_000, 4 + 5 * ((round * 5) % KILLS));
      for (const one of said) {
        if (one === "ready") continue;
        if ("origin" in one) bind(one);
        else acks.push(one);
      }
      const world = await createWorld({ engine: "sqlite", folder });
      const zone = await world.open();
      const { size, logRoot, checkpoint } = zone.published();
      bind({ size, root: logRoot });
      expect(parseNote(checkpoint).body.split("\n")[1]).to.equal(String(size));
      for (const { id, name, dseq } of acks) {
        const answer = await world.ask(zone, id);
        const has = answer.kind === "present" ? answer.passport.state.dseq : -1;
        expect(has, `${name} after kill ${round}`).to.be.at.least(dseq);
      }
      await world.dispose();
    }
    expect(acks.length).to.be.greaterThan(10);
    await temporary.remove();
  });
});
