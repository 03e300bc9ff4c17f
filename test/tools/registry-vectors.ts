/** Writes the vectors that other implementations of the registry read: `node test/tools/registry-vectors.ts` */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { OPERATIONS_FILE, publishedOperations, written } from "../passport/published.ts";
import { ANSWERS_FILE, publishedAnswers, writtenAnswers } from "../registry/client/answers.ts";
import { LOG_FILE, publishedLog, writtenLog } from "../registry/log/published.ts";

const FILES = [
  [OPERATIONS_FILE, written(await publishedOperations())],
  [LOG_FILE, writtenLog(await publishedLog())],
  [ANSWERS_FILE, writtenAnswers(await publishedAnswers())],
] as const;

for (const [file, text] of FILES) writeFileSync(resolve(import.meta.dirname, "../..", file), text);
