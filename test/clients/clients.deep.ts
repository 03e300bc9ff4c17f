/** Applications that know nothing of this server: each sentence is a step of a program that uses one real client. Needs a package registry once. */
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { installClients, programMsMax, runProgram, stepsOf } from "./workspace.ts";

const CLIENTS = [
  ["rdflib", "rdflib"],
  ["@ldo/connected-solid", "ldo"],
  ["soukai-solid", "soukai"],
  ["@comunica/query-sparql-solid", "comunica"],
  ["solid-bashlib", "bashlib"],
  ["solid-file-client", "file-client"],
  ["@inrupt/solid-client-notifications", "notifications"],
  ["@inrupt/solid-client-access-grants", "access-grants"],
  ["@inrupt/solid-client-access-grants, with policies", "access-grants", { FREEHOLD_ACCESS: "acp" }],
] as const;

describe("Solid clients", function () {
  let folder: string;

  before(async function () {
    this.timeout(480_000);
    folder = await installClients(this);
  });

  for (const [client, program, settings = {}] of CLIENTS) {
    describe(client, () => {
      let server: TestServer;
      let outcomes: ReadonlyMap<string, string | null> = new Map();

      before(async function () {
        this.timeout(programMsMax + 30_000);
        server = await startServer(settings);
        const people: { ana: Person; ben: Person } = {
          ana: await server.person("Ana"),
          ben: await server.person("Ben"),
        };
        outcomes = await runProgram(folder, program, server, people);
      });
      after(() => server?.close());

      for (const name of stepsOf(program)) {
        it(name, () => {
          const error = outcomes.get(name);
          if (error === undefined) throw new Error("The program did not come to this step");
          const mistakes = server.log.filter((line) => line.includes('"level":"error"'));
          if (error !== null) throw new Error([error, ...mistakes.slice(-2)].join("\n"));
        });
      }
    });
  }
});
