/** Passkeys: WebAuthn registration and sign-in, on @simplewebauthn/server, loaded when the first one is used. */
import { isIP } from "node:net";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Passkey } from "./records.ts";
import { newSecret } from "./secret.ts";

/** What a challenge was made for; an answer to one kind is no answer to another. */
interface Challenge {
  readonly kind: "set-up" | "add" | "sign-in";
  /** The account that the new passkey is for; null at sign-in, where the passkey says it. */
  readonly accountId: string | null;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

export interface Passkeys {
  /** False where browsers allow none: at an IP address, or without TLS away from localhost. */
  readonly possible: boolean;
  registerOptions(
    kind: "set-up" | "add",
    account: {
      readonly id: string;
      readonly pod: string;
      readonly name: string;
      readonly passkeys: readonly Passkey[];
    },
  ): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /**
   * Checks what the browser made of the options.
   * @param device Name for the new passkey, in words for its owner.
   * @throws Problem `input-invalid` when it does not fit.
   */
  register(
    kind: "set-up" | "add",
    response: unknown,
    device: string,
  ): Promise<{ readonly accountId: string; readonly passkey: Passkey }>;
  loginOptions(): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** @returns the passkey with its new counter. @throws Problem `login-failed` */
  login(response: unknown, find: (passkeyId: string) => Promise<Passkey | null>): Promise<Passkey>;
}

/**
 * Challenges are kept in memory only: whoever was interrupted by a restart begins again. @param baseUrl What passkeys are bound to.
 */
export function createPasskeys(baseUrl: string, now: () => Date, limits: Limits): Passkeys {
  const { hostname, origin, protocol } = new URL(baseUrl);
  const local = hostname === "localhost" || hostname.endsWith(".localhost");
  const possible = !isIP(hostname) && !hostname.startsWith("[") && (protocol === "https:" || local);
  const challenges = new Map<string, Challenge>();
  const load = () => import("@simplewebauthn/server");

  function remember(kind: Challenge["kind"], accountId: string | null): Uint8Array<ArrayBuffer> {
    if (!possible)
      throw new Problem(
        "input-invalid",
        "Passkeys work only at an address with https, or at localhost; use a password here",
      );
    const challenge = newSecret();
    challenges.set(challenge, { kind, accountId, expires: now().getTime() + limits.challengeMsMax });
    if (challenges.size > limits.challengesRemembered)
      challenges.delete(challenges.keys().next().value ?? "");
    return Uint8Array.from(Buffer.from(challenge, "base64url"));
  }

  /** Each challenge is good for one answer, right or wrong. */
  function take(kind: Challenge["kind"], challenge: string): Challenge | null {
    const found = challenges.get(challenge);
    challenges.delete(challenge);
    return found && found.kind === kind && found.expires > now().getTime() ? found : null;
  }

  return {
    possible,
    async registerOptions(kind, account) {
      const challenge = remember(kind, account.id);
      const { generateRegistrationOptions } = await load();
      return generateRegistrationOptions({
        rpName: "Freehold",
        rpID: hostname,
        challenge,
        userID: Uint8Array.from(Buffer.from(account.id, "base64url")),
        userName: account.pod,
        userDisplayName: account.name,
        timeout: limits.challengeMsMax,
        excludeCredentials: account.passkeys.map(({ id, transports }) => ({
          id,
          transports: [...transports],
        })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
    },
    async register(kind, response, device) {
      const { verifyRegistrationResponse } = await load();
      let challenge: Challenge | null = null;
      try {
        const { registrationInfo } = await verifyRegistrationResponse({
          response: response as RegistrationResponseJSON,
          expectedChallenge: (text) => {
            challenge = take(kind, text);
            return challenge !== null;
          },
          expectedOrigin: origin,
          expectedRPID: hostname,
        });
        const accountId = (challenge as Challenge | null)?.accountId;
        if (registrationInfo && accountId) {
          const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
          const passkey = {
            id,
            name: device,
            publicKey: Buffer.from(publicKey).toString("base64url"),
            counter,
            transports,
            created: now().getTime(),
          };
          return { accountId, passkey };
        }
      } catch (cause) {
        throw new Problem("input-invalid", "The passkey was not accepted; make a new one", { cause });
      }
      throw new Problem("input-invalid", "The passkey was not accepted; make a new one");
    },
    async loginOptions() {
      const challenge = remember("sign-in", null);
      const { generateAuthenticationOptions } = await load();
      return generateAuthenticationOptions({
        rpID: hostname,
        challenge,
        timeout: limits.challengeMsMax,
        userVerification: "required",
      });
    },
    async login(response, find) {
      const { verifyAuthenticationResponse } = await load();
      const id = (response as { readonly id?: unknown } | null)?.id;
      const passkey = typeof id === "string" ? await find(id) : null;
      if (!passkey) throw new Problem("login-failed", "The passkey was not accepted");
      try {
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          response: response as AuthenticationResponseJSON,
          expectedChallenge: (text) => take("sign-in", text) !== null,
          expectedOrigin: origin,
          expectedRPID: hostname,
          credential: {
            id: passkey.id,
            publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, "base64url")),
            counter: passkey.counter,
            transports: [...passkey.transports],
          },
        });
        if (verified) return { ...passkey, counter: authenticationInfo.newCounter };
      } catch (cause) {
        throw new Problem("login-failed", "The passkey was not accepted", { cause });
      }
      throw new Problem("login-failed", "The passkey was not accepted");
    },
  };
}
