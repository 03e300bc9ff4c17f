/** Opening an account from the command line: person, pod, passport, and a program's credentials. For demo and tests. */
import { exportRecoveryFile, openPassport } from "@freehold/client/passport";
import type { Context } from "../context.ts";
import type { WebId } from "../iri.ts";

export interface NewPerson {
  readonly name: string;
  readonly podName: string;
  readonly password: string;
  /** Where the passport is registered; the server's first zone by default. */
  readonly zone?: string;
}

export interface Person {
  readonly webid: WebId;
  /** Root of the pod, ends in `/`. */
  readonly pod: string;
  readonly passport: string;
  /** The passport's keys: the person's to keep. */
  readonly recoveryFile: string;
  readonly credentials: { readonly id: string; readonly secret: string };
}

/** @throws Problem `input-invalid`, `conflict` when the name is taken. */
export async function createPerson(
  context: Context,
  { name, podName, password, zone }: NewPerson,
): Promise<Person> {
  const { accounts, hosting } = context.identity;
  const { createOp, file } = await openPassport(await hosting.begin(zone), context.now());
  const account = await accounts.open({
    name,
    pod: podName,
    password,
    passkey: null,
    createOp,
    recoverySaved: true,
  });
  const { id, secret } = await accounts.credentials.create(account, "Command line", null);
  return {
    webid: account.webid,
    pod: `${context.config.baseUrl}${podName}/`,
    passport: file.passport,
    recoveryFile: exportRecoveryFile(file),
    credentials: { id, secret },
  };
}
