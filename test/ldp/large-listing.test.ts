/** That a container's members are never all in memory: listed in a process whose heap could not hold them. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { temporaryFolder } from "../support/store.ts";

const CHILD = fileURLToPath(new URL("large-listing-child.ts", import.meta.url));
const MEMBERS = 200_000;
const HEAP_MIB = 48; // So many members take some 200 MiB as objects, and 50 as text.
const MEMORY_MAX = 64 * 1024 * 1024;

describe("A container of 200,000 members", () => {
  it(`is streamed whole within ${HEAP_MIB} MiB of heap`, async function () {
    this.timeout(200_000);
    const temporary = await temporaryFolder();
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [`--max-old-space-size=${HEAP_MIB}`, CHILD, temporary.folder, `${MEMBERS}`],
        { timeout: 180_000 },
      );
      const seen = JSON.parse(stdout) as { status: number; bytes: number; contains: number; most: number };
      expect(seen.status).to.equal(200);
      expect(seen.contains).to.equal(MEMBERS);
      expect(seen.bytes).to.be.above(MEMBERS * 150);
      expect(seen.most).to.be.below(MEMORY_MAX);
    } finally {
      await temporary.remove();
    }
  });
});
