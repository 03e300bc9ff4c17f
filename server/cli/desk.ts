/** What the hosting pages ask for, done by the same tasks as the command line's; and nothing of any pod's content in the answers. */
import { readFile, statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { basename } from "node:path";
import type { HostingDesk } from "../account/hosting-doors.ts";
import type { Context } from "../context.ts";
import { Problem } from "../errors.ts";
import { VERSION } from "../health.ts";
import { withoutPlaces } from "../jobs.ts";
import type { Level } from "../log.ts";
import type { Pod } from "../store/pods.ts";
import type { TaskInput } from "./task.ts";

const LINES_SHOWN = 200;
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** Of a container its own bounds, else the machine's. */
async function memoryTotal(): Promise<number> {
  const bound = Number(await readFile("/sys/fs/cgroup/memory.max", "utf8").catch(() => ""));
  return bound > 0 && bound < totalmem() ? bound : totalmem();
}

export function createDesk(context: Context): HostingDesk {
  const { backups, config, jobs, ldp, log, now, probes, store, vitals } = context;
  const rootOf = (pod: Pod): string => `/${pod.name}/`;

  async function begin(name: string, args: readonly string[], flags: TaskInput["flags"]): Promise<void> {
    const { TASKS } = await import("./tasks/index.ts"); // Loaded for the first who asks for one.
    const task = TASKS.find((one) => one.name === name);
    if (!task) throw new Error(`there is no task ${name}`);
    if (jobs.list().some(({ what, ended }) => what === name && ended === null))
      throw new Problem("conflict", "This is under way already");
    log.info("task.begun", { task: name });
    jobs
      .watch(
        name,
        "hosting page",
        (report) => task.run(context, { args, flags, secret: null }, report),
        ({ exit }) => exit === 0,
      )
      .then(
        ({ exit }) => log.info("task.done", { task: name, exit }),
        (error: unknown) =>
          log.error("task.failed", { task: name, cause: String((error as Error).stack ?? error) }),
      );
  }

  async function shelved() {
    const { folder } = backups.settings;
    return folder === "" ? [] : backups.list(folder);
  }

  return {
    isFrozen: async (pod) => (await ldp.restrictions.list(pod)).some(({ path }) => path === rootOf(pod)),
    async freeze(pod, isFrozen) {
      await (isFrozen
        ? ldp.restrictions.restrict(pod, rootOf(pod), "operator")
        : ldp.restrictions.release(pod, rootOf(pod), "operator"));
    },
    async begin(work) {
      if (work.task === "erase") return begin("erase", [work.pod], { yes: true });
      if (work.task === "backup" && backups.settings.folder === "")
        throw new Problem("conflict", "No folder for backups is set (FREEHOLD_BACKUP_FOLDER)");
      return begin(work.task, [], {});
    },
    async beginProof(name) {
      const backup = (await shelved()).find(({ file, what }) => basename(file) === name && what !== "keys");
      if (!backup) throw new Problem("not-found", "There is no such backup any more");
      await begin("verify-backup", [backup.file], {});
    },
    jobs: () => jobs.list(),
    async backups() {
      const { folder, everyMs, proveEveryMs, keep } = backups.settings;
      const { failed, reason } = await backups.state();
      const found = await shelved();
      const newest = found.findLast(({ what }) => what === "all");
      return {
        isSet: folder !== "",
        everyMs,
        proveEveryMs,
        keep,
        next: folder === "" || everyMs === 0 ? null : newest ? newest.time + everyMs : now().getTime(),
        failed,
        // Its words were an error's: they may name files.
        why: failed === null || reason === null ? null : withoutPlaces(reason),
        backups: found
          .map(({ file, what, time, bytes, proof }) => ({
            name: basename(file),
            what,
            time,
            bytes,
            proved: proof ? Date.parse(proof.time) : null,
          }))
          .reverse(),
      };
    },
    log: (least) => ({
      level: config.logLevel,
      lines: vitals.lines(LEVELS.slice(LEVELS.indexOf(least))).slice(0, LINES_SHOWN),
    }),
    async health() {
      const [disk, total, isReady] = await Promise.all([
        statfs(config.dataFolder),
        memoryTotal(),
        store.check().then(
          () => true,
          () => false,
        ),
      ]);
      return {
        version: VERSION,
        since: vitals.since,
        isReady,
        store: config.store === "sqlite" ? "sqlite" : "postgres",
        disk: { free: disk.bavail * disk.bsize, total: disk.blocks * disk.bsize },
        memory: { used: process.memoryUsage.rss(), free: freemem(), total },
        minutes: vitals.minutes(),
      };
    },
    probe: () => probes.begin(),
    async diagnose(seen) {
      const { diagnose } = await import("./doctor/doctor.ts");
      if (seen === null) return diagnose(context, { seen: null, deviceTime: null, clockUrl: null });
      const arrived = probes.arrived(seen.token);
      return diagnose(context, {
        seen: {
          by: "browser",
          asked: seen.asked,
          failed: null,
          status: arrived ? 200 : null,
          arrived,
          socket: seen.socket,
          certificateEnds: null,
        },
        deviceTime: seen.deviceTime,
        clockUrl: null,
      });
    },
  };
}
