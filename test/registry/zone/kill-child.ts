/** The process that `kill.test.ts` kills: a zone under load that says what it has bound itself to, and what it has acknowledged. */
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { person } from "../../passport/people.ts";
import { createWorld } from "./world.ts";

const [folder = "", firstText = ""] = process.argv.slice(2);
const AT_ONCE = 8;

function say(line: unknown): void {
  for (;;) {
    try {
      writeSync(1, `${JSON.stringify(line)}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error; // A busy listener has not emptied the pipe yet.
    }
  }
}

const world = await createWorld({ engine: "sqlite", folder });
const zone = await world.open({
  onStep(step) {
    // From here on it signs.
    if (step === "locked") say(JSON.parse(readFileSync(join(folder, "registry", "zz", "lock"), "utf8")));
  },
});
say("ready");
let next = Number(firstText);
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (;;) {
      const name = `K${next++}`;
      const { create, data, state } = await person(name);
      await zone.submit(create);
      say({ id: state.id, name, dseq: 0 });
      await zone.submit(data);
      say({ id: state.id, name, dseq: 1 });
    }
  }),
);
