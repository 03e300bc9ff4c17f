/** Replays a stream with the reference client of event streams: `node ldes-client.mjs ROOT OPTIONS ORDER`, beside the package. */
import { argv, stdout } from "node:process";

const [root, options, order] = argv.slice(2);
const { intoConfig, replicateLDES } = await import("ldes-client");
const { after, before, ...rest } = JSON.parse(options);
const dates = { ...(after && { after: new Date(after) }), ...(before && { before: new Date(before) }) };
const client = replicateLDES(intoConfig({ url: root, ...rest, ...dates }), order);
const values = [];
for await (const { quads } of client.stream())
  values.push(
    Number(quads.find(({ predicate }) => predicate.value.endsWith("/hasSimpleResult"))?.object.value),
  );
stdout.write(`\nVALUES ${JSON.stringify(values)}\n`);
