/** `freehold token <pod>`: an access token for trying things out with curl, where the server takes tokens without a key. */
import { OperatorError } from "../../errors.ts";
import { openAsOwner, reasonOf } from "../as-owner.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

const HOURS = 1;

export const token: Task = {
  name: "token",
  usage: "<pod>",
  about:
    "Print an access token of a pod's owner for curl, good for an hour, and how to use it; needs --bearer on",
  async run(context, { args: [name = ""] }) {
    const { config, identity, now } = context;
    if (!config.bearer)
      throw new OperatorError(
        "This server takes only tokens that are bound to a key, and curl has none. Start it with FREEHOLD_BEARER=on to try things out; a vendor has a token for one grant: freehold vendor token.",
      );
    const pod = await podNamed(context, name);
    const account = (await identity.accounts.list()).find((one) => one.pod === pod.name);
    if (!account) throw new OperatorError(`The pod ${name} has no account.`);
    // Disconnecting it, by its owner or after the hour, ends the token, too.
    const until = now().getTime() + HOURS * 3_600_000;
    const { id, secret } = await identity.accounts.credentials.create(account, "freehold token", until);
    const owner = await openAsOwner(context);
    try {
      const answer = await owner.ask(
        "POST",
        "/.oidc/token",
        {
          authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`,
          "content-type": "application/x-www-form-urlencoded",
        },
        "grant_type=client_credentials&scope=webid",
      );
      const { access_token: text, expires_in: seconds } = JSON.parse(answer.text) as {
        readonly access_token?: string;
        readonly expires_in?: number;
      };
      if (text === undefined) throw new OperatorError(`No token was given: ${reasonOf(answer)}`);
      await context.journal.operator(pod, "access", { path: `/${pod.name}/` });
      const url = `${config.baseUrl}${pod.name}/`;
      return {
        lines: [text, `curl -H "Authorization: Bearer $(freehold token ${pod.name} | head -1)" ${url}`],
        exit: 0,
        value: { token: text, seconds: seconds ?? null, url },
      };
    } finally {
      await owner.close();
    }
  },
};
