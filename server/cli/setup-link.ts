/** `freehold setup-link`: a new one-time link by which an account is opened, for whoever runs the server to hand on. */
import type { Config } from "../config.ts";
import { createContext } from "../context.ts";
import { OperatorError } from "../errors.ts";
import { checkAddress } from "./start.ts";

/**
 * Prints the link. There is no door for this: who can only reach the server should not be able to let people in.
 * @throws OperatorError while a server holds the data: it must stop for this moment.
 */
export async function setupLink(config: Config): Promise<number> {
  const context = await createContext(config, () => {}).catch((cause: unknown) => {
    if (!(cause instanceof OperatorError)) throw cause;
    const advice =
      "A set-up link is made while the server is stopped; then start it and use the link within 30 minutes.";
    throw new OperatorError(`${cause.message} ${advice}`, { cause });
  });
  try {
    await checkAddress(context, config);
    // oxlint-disable-next-line no-console -- this is the command line
    console.log(await context.identity.accounts.createSetupLink());
  } finally {
    await context.close();
  }
  return 0;
}
