/**
 * Where a query thread begins: what Node compiles of its modules is kept, so that the next thread only reads it, which is
 * half of what a start costs. It lies beside the code: whoever may write there could change the code as well. Where
 * nobody may, as in an image, nothing is kept.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../../node_modules/.cache/freehold-query");

enableCompileCache(FOLDER);
await import("./worker.ts");
flushCompileCache();
