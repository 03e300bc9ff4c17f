/* oxlint-disable no-console -- What all who granted it spent, by category: federation.ts <issuer> <client> <secret> <resolver> <passport>… */
import { combine, FreeholdError, queryAll } from "@freehold/client";
import { login } from "@freehold/client/node";

const [issuer = "", clientId = "", clientSecret = "", resolver = "", ...passports] = process.argv.slice(2);
const spending = `
  PREFIX schema: <https://schema.org/>
  SELECT ?category (COUNT(?order) AS ?orders) (SUM(?price) AS ?sum) {
    ?order a schema:Order ; schema:category ?category ; schema:price ?price
  } GROUP BY ?category`;

try {
  const { fetch } = await login({ issuer, clientId, clientSecret });
  const answers = queryAll(passports, spending, { fetch, resolvers: [resolver] });
  const totals = await combine(answers, {
    merge: { orders: "sum", sum: "sum" },
    orderBy: [{ by: "sum", descending: true }],
    limit: 10,
  });
  console.table(
    totals.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell?.value]))),
  );
  const refused = answers.sources.filter(({ error }) => error !== null);
  console.log(`${passports.length - refused.length} of ${passports.length} pods answered`);
  for (const { where, error } of refused) console.log(`  ${where}: ${error?.message}`);
} catch (error) {
  if (!(error instanceof FreeholdError)) throw error;
  console.error([error.title, error.detail, error.next].filter(Boolean).join("\n"));
  process.exitCode = 1;
}
