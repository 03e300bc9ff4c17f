import { taskTests } from "./tasks.ts";

describe("tasks by the real command, beside a server", function () {
  this.timeout(60_000);
  taskTests(true);
});
