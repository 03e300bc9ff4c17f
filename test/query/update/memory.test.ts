/** SPARQL Update on a pod: how much of it an update may have in memory. */
import { write } from "../../doors/people.ts";
import { startServer } from "../../support/server.ts";
import { done, refused, TYPE } from "./fixture.ts";

describe("an update over much", () => {
  it("is refused when WHERE looks into more than may be in memory, whoever may read so much", async () => {
    const small = await startServer({ FREEHOLD_LIMITS: "transactionBytesMax=300000" });
    try {
      const eve = await small.person("eve");
      const send = (text: string) =>
        eve.fetch(`${eve.pod}sparql-update`, {
          method: "POST",
          headers: { "content-type": TYPE },
          body: text,
        });
      const text = "x".repeat(100_000);
      for (const name of ["a", "b", "c", "d"])
        await write(eve, `${eve.pod}big/${name}.ttl`, `<urn:x:${name}> <urn:x:p> "${text}" .`);
      const insert = (where: string) =>
        send(`INSERT { GRAPH <${eve.pod}new.ttl> { ?s <urn:x:q> 1 } } ${where}`);
      const all = "USING <http://www.w3.org/ns/solid/sparql#union-default-graph>";
      await refused(await insert(`${all} WHERE { ?s <urn:x:p> ?o }`), 400, "query-refused");
      await done(await insert(`WHERE { GRAPH <${eve.pod}big/a.ttl> { ?s ?p ?o } }`));
    } finally {
      await small.close();
    }
  });
});
