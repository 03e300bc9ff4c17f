/** Passkeys in the browser: options from the server, a gesture by the person, and the answer back. */
import { browserSupportsWebAuthn, startAuthentication, startRegistration } from "@simplewebauthn/browser";
import { ask, Refusal } from "./ask.ts";

type RegistrationOptions = Parameters<typeof startRegistration>[0]["optionsJSON"];
type LoginOptions = Parameters<typeof startAuthentication>[0]["optionsJSON"];

export const canUsePasskeys = (): boolean => browserSupportsWebAuthn();

/** What browsers throw, in words; they do not say whether a person said no or had nothing to say yes with. */
function refused(error: unknown, doing: string): never {
  if (error instanceof Refusal) throw error;
  const name = error instanceof Error ? error.name : "";
  if (name === "InvalidStateError") {
    throw new Refusal(
      "passkey",
      "This device already has a passkey for your pod",
      "",
      "Use that one, or add one on another device.",
    );
  }
  const next =
    name === "NotAllowedError"
      ? "Try again when you are ready; it waits for a few minutes."
      : "Try again, or use a password instead.";
  throw new Refusal("passkey", `${doing} was not finished`, "", next);
}

/** @param fields What the server needs to know: for a set-up the token and the names, else nothing. @throws Refusal */
export async function makePasskey(fields: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const optionsJSON = await ask<RegistrationOptions>("POST", "/.account/passkey/register-options", fields);
  return startRegistration({ optionsJSON }).catch((error: unknown) => refused(error, "Making the passkey"));
}

/** Signs in; the session cookie is set by the answer. @throws Refusal */
export async function loginByPasskey(): Promise<void> {
  const optionsJSON = await ask<LoginOptions>("POST", "/.account/passkey/login-options", {});
  const passkey = await startAuthentication({ optionsJSON }).catch((error: unknown) =>
    refused(error, "Signing in"),
  );
  await ask("POST", "/.account/passkey/login", { passkey });
}
