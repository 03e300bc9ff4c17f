import { killedTests } from "./killed.ts";

describe("killed with -9", function () {
  this.timeout(60_000);
  killedTests([90]);
});
