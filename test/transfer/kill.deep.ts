import { killedTests } from "./killed.ts";

describe("killed with -9, at many moments", function () {
  this.timeout(300_000);
  killedTests([0, 20, 40, 70, 100, 150, 200, 300, 450, 700]);
});
