/** Freehold as anybody runs it: `server/main.ts start` on a folder in which one person already lives. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { logIn } from "./login.ts";
import { type Contender, freePort, START_ARGS, startProcess, stopProcess } from "./servers.ts";

/** @param limits Those that differ from the defaults, as `name=number`. */
export async function freeholdContender(limits: readonly string[] = []): Promise<Contender> {
  const folder = mkdtempSync(join(tmpdir(), "bench-freehold-"));
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const env = {
    FREEHOLD_PORT: `${port}`,
    FREEHOLD_DATA: folder,
    FREEHOLD_LOG_LEVEL: "error",
    FREEHOLD_LIMITS: ["writesPerAgentMax=1000000000", ...limits].join(","), // What strangers may write a minute is no figure of speed.
  };
  const running = await serve(readConfig(env), () => {});
  const { credentials } = await createPerson(running.context, {
    name: "Ana",
    podName: "ana",
    password: "only for this bench",
  });
  await running.close();
  const name = "Freehold";
  return {
    name,
    async start() {
      const started = await startProcess(START_ARGS, `${origin}/readyz`, { env });
      return {
        name,
        origin,
        pid: started.child.pid ?? 0,
        firstAnswerMs: started.firstAnswerMs,
        logIn: () => logIn(`${origin}/`, credentials),
        stop: () => stopProcess(started),
      };
    },
    fillContainer: null,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
