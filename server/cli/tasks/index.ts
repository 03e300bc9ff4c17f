/** All tasks of the command line that need the store. */
import type { Task } from "../task.ts";
import { accountOperator } from "./account.ts";
import { accountAdd, accountList, accountPassword, accountRemove, podList, podShow } from "./accounts.ts";
import { arrive, passportHost } from "./arrive.ts";
import { backup, backupKeys, backupList, restore, verifyBackup } from "./backup.ts";
import { breach, grantStop } from "./breach.ts";
import { doctor } from "./doctor.ts";
import { eraseTask } from "./erase.ts";
import { grantDecide, grantList, grantPause, grantResume, grantRevoke, grantShow } from "./grant.ts";
import { grantReconcile } from "./grant-reconcile.ts";
import { journalHead, journalShow, journalVerify } from "./journal.ts";
import { historyList, historyRestore, trashEmpty, trashList, trashRestore } from "./kept.ts";
import { keysRotate, keysRotateRoot } from "./keys.ts";
import { migrate } from "./migrate.ts";
import { queryTask } from "./query.ts";
import { quotaRecount, quotaSet, quotaShow } from "./quota.ts";
import { registrarTask } from "./registrar.ts";
import { restrict, unrestrict } from "./restrict.ts";
import { scrub } from "./scrub.ts";
import { seed } from "./seed.ts";
import { setupLink } from "./setup-link.ts";
import { token } from "./token.ts";
import { exportTask, importTask, movedTask } from "./transfer.ts";

export const TASKS: readonly Task[] = [
  accountList,
  accountAdd,
  accountPassword,
  accountRemove,
  podList,
  podShow,
  seed,
  queryTask,
  token,
  backup,
  backupKeys,
  backupList,
  verifyBackup,
  restore,
  scrub,
  setupLink,
  accountOperator,
  doctor,
  journalHead,
  journalShow,
  journalVerify,
  keysRotate,
  keysRotateRoot,
  quotaShow,
  quotaSet,
  quotaRecount,
  trashList,
  trashRestore,
  trashEmpty,
  historyList,
  historyRestore,
  restrict,
  unrestrict,
  grantList,
  grantShow,
  grantPause,
  grantResume,
  grantRevoke,
  grantDecide,
  grantReconcile,
  grantStop,
  breach,
  exportTask,
  importTask,
  movedTask,
  eraseTask,
  migrate,
  registrarTask,
  passportHost,
  arrive,
];
