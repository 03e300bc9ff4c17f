import { describeOnPostgres } from "../support/postgres.ts";
import { rekeyKilledTest } from "./rekey-killed.ts";

describe("killed while a pod gets a new key", function () {
  this.timeout(60_000);
  rekeyKilledTest(5);
});

describeOnPostgres("killed while a pod on PostgreSQL gets a new key", function () {
  this.timeout(60_000);
  rekeyKilledTest(2, "postgres");
});
