/**
 * Which tests there are, as mocha itself finds them: the files are loaded, and nothing is run. In a process of its own,
 * for a module that is loaded already declares nothing a second time.
 */
import { execFile } from "node:child_process";
import { relative, resolve } from "node:path";
import { promisify } from "node:util";
import type { MochaOptions } from "mocha";

const ROOT = resolve(import.meta.dirname, "../..");
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024; // Titles of a few thousand tests.

export interface DeclaredTest {
  readonly file: string;
  readonly title: string;
  /** Skipped, or without anything in it. */
  readonly isIdle: boolean;
}

/** What a test does that does nothing, or only skips itself. */
const IDLE = /^(async\s*)?(function\s*)?\(\s*\)\s*(=>\s*)?\{\s*(this\.skip\(\);?\s*)?\}$/;

/**
 * @param files From the project's folder.
 * @returns their tests, in the order in which they would run.
 * @throws Error when a file cannot be loaded.
 */
export async function declaredTests(files: readonly string[]): Promise<readonly DeclaredTest[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, ...files], {
    cwd: ROOT,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  const last = stdout.trim().split("\n").at(-1) ?? ""; // Whatever a file says while it is loaded comes before.
  return JSON.parse(last) as DeclaredTest[];
}

async function load(files: readonly string[]): Promise<readonly DeclaredTest[]> {
  const { default: Mocha } = await import("mocha");
  const mocha = new Mocha({ forbidOnly: true } satisfies MochaOptions);
  for (const file of files) mocha.addFile(resolve(ROOT, file));
  await mocha.loadFilesAsync();
  const found: DeclaredTest[] = [];
  mocha.suite.eachTest((test: Mocha.Test) => {
    found.push({
      file: relative(ROOT, test.file ?? ""),
      title: test.fullTitle(),
      isIdle: test.isPending() || IDLE.test(test.body.trim()),
    });
  });
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const found = await load(process.argv.slice(2));
  process.stdout.write(`\n${JSON.stringify(found)}\n`, () => process.exit());
}
