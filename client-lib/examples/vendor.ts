/* oxlint-disable no-console -- A shop prints what a customer granted: vendor.ts <issuer> <client> <secret> <resolver> <passport> */
import { FreeholdError, openPod, query } from "@freehold/client";
import { login } from "@freehold/client/node";

const [issuer = "", clientId = "", clientSecret = "", resolver = "", passport = ""] = process.argv.slice(2);
const payments = `
  PREFIX fh: <https://w3id.org/freehold/ns#>
  PREFIX schema: <https://schema.org/>
  SELECT ?date ?whom ?amount ?currency {
    ?payment a schema:MoneyTransfer ; fh:bookingDate ?date ; schema:amount ?sum .
    ?sum schema:value ?amount ; schema:currency ?currency .
    OPTIONAL { ?payment fh:counterpartyName ?whom }
  } ORDER BY DESC(?date) LIMIT 20`;

try {
  const { fetch } = await login({ issuer, clientId, clientSecret });
  const pod = await openPod(passport, { fetch, resolvers: [resolver] });
  const rows = await Array.fromAsync(query(pod, payments), (row) =>
    Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell?.value])),
  );
  if (rows.length > 0) console.table(rows);
  else console.log("There are no payments that you may read");
} catch (error) {
  if (!(error instanceof FreeholdError)) throw error;
  const { code, title, detail, next } = error; // The server's own words.
  console.error([title, detail, next].filter(Boolean).join("\n"));
  process.exitCode = { "login-failed": 2, "passport-invalid": 3, "root-changed": 3, forbidden: 4 }[code] ?? 1;
}
