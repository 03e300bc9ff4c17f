import { taskTests } from "./tasks.ts";

describe("tasks by the real command, without a server", function () {
  this.timeout(60_000);
  taskTests(false);
});
