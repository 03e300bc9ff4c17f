/**
 * `npm run conformance`: the table of every requirement on a server, as Markdown; `-- --json` as JSON.
 * Whether each named test exists is checked by conformance.test.ts, and whether it passes by `npm test`.
 */
import { parseArgs } from "node:util";
import { asJson, asMarkdown } from "./print.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
process.stdout.on("error", () => process.exit()); // Whoever reads it has read enough.
process.stdout.write(values.json ? asJson() : asMarkdown());
