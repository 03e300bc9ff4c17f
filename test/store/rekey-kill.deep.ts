import { describeOnPostgres } from "../support/postgres.ts";
import { rekeyKilledTest } from "./rekey-killed.ts";

describe("killed while a pod gets a new key, at many moments", function () {
  this.timeout(300_000);
  rekeyKilledTest(40);
});

describeOnPostgres("killed while a pod on PostgreSQL gets a new key, at many moments", function () {
  this.timeout(300_000);
  rekeyKilledTest(20, "postgres");
});
