/** What the way to the server does to requests: pure, from what was asked and what arrived. */
import type { Config } from "../../config.ts";
import type { Arrived } from "../../probe.ts";
import { type Finding, isOnThisMachine, note, ok, wrong } from "./finding.ts";

/** What somebody saw who asked the server by its public address. */
export interface Seen {
  readonly by: "server" | "browser";
  /** The whole address that was asked. */
  readonly asked: string;
  /** Code of what kept it from being answered; null when it was. */
  readonly failed: string | null;
  readonly status: number | null;
  /** As the server saw the request; null when it never came. */
  readonly arrived: Arrived | null;
  /** Null: a WebSocket opened. Undefined: there was none to open. Else what went wrong. */
  readonly socket: string | null | undefined;
  /** Milliseconds since 1970; null where nobody could see it. */
  readonly certificateEnds: number | null;
}

type Place = Pick<Config, "baseUrl" | "port" | "trustProxy">;

const DAY_MS = 86_400_000;
const CERTIFICATE_DAYS_SHORT = 14; // What renews it by itself has done so by then.

const WHY: Readonly<Record<string, string>> = {
  ENOTFOUND: "The name of the address leads nowhere",
  EAI_AGAIN: "The name of the address could not be looked up",
  ECONNREFUSED: "Nothing listens at the address",
  ECONNRESET: "The connection was broken off",
  ETIMEDOUT: "The address did not answer in time",
  TimeoutError: "The address did not answer in time",
  CERT_HAS_EXPIRED: "The certificate has ended",
  DEPTH_ZERO_SELF_SIGNED_CERT: "The certificate is signed by nobody that others trust",
  SELF_SIGNED_CERT_IN_CHAIN: "The certificate is signed by nobody that others trust",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "The certificate's chain is not whole",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "The certificate's chain is not whole, or signed by nobody that others trust",
  ERR_TLS_CERT_ALTNAME_INVALID: "The certificate is for another name",
};
const OF_CERTIFICATE = /CERT|SIGNATURE/;

/** Whether others reach this server by the address that it was given. */
function addressOf({ baseUrl }: Place, { failed, status, arrived }: Seen): Finding {
  if (failed !== null)
    return wrong(
      "address",
      `not-reached-${failed}`,
      `${WHY[failed] ?? "The address could not be reached"}: ${baseUrl}.`,
      "Set FREEHOLD_BASE_URL to the address that people type, let its name lead to this machine, and its port through the firewall. From some networks a machine cannot reach itself by its public name: then look at the page of diagnostics in a browser elsewhere.",
    );
  if (arrived === null)
    return wrong(
      "address",
      `answered-by-another-${status ?? 0}`,
      `Something else than this server answers at ${baseUrl} (status ${status ?? 0}).`,
      "Let the proxy pass everything at this address on to this server, without a redirect and without a login of its own.",
    );
  return ok("address", "reached", `This server is reached at ${baseUrl}.`);
}

function isBehindProxy(
  { baseUrl, port }: Place,
  { host, hasForwardedFor, hasVia, proto }: Arrived,
): "yes" | "maybe" | "no" {
  const base = new URL(baseUrl);
  if (hasForwardedFor || hasVia || proto !== null || base.protocol === "https:" || host !== base.host)
    return "yes";
  return base.port === String(port) ? "no" : "maybe";
}

/** Whose visit a request is: who cannot be told apart shares all limits. */
function visitorsOf(place: Place, arrived: Arrived): Finding {
  const behind = isBehindProxy(place, arrived);
  if (behind === "no")
    return ok("visitors", "no-proxy", "Visitors reach this server without a proxy in between.");
  if (!arrived.hasForwardedFor)
    return behind === "maybe"
      ? note(
          "visitors",
          "other-port",
          "The address has another port than the server, so a proxy may stand in between; it says nothing of whom requests come from.",
          "If it only passes a port on, all is well. If it is a proxy, let it send X-Forwarded-For, and name its address in FREEHOLD_TRUST_PROXY.",
        )
      : wrong(
          "visitors",
          "forwarded-for-missing",
          "The proxy does not say whom a request comes from: all visitors look like one, and one who tries passwords locks out all.",
          "Let the proxy send X-Forwarded-For (in nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for), and name its address in FREEHOLD_TRUST_PROXY.",
        );
  if (!arrived.isBelieved || place.trustProxy.length === 0)
    return wrong(
      "visitors",
      "forwarded-for-not-believed",
      "The proxy says whom a request comes from, and this server does not believe it: all visitors look like one.",
      "Name the proxy's address in FREEHOLD_TRUST_PROXY, such as 127.0.0.1.",
    );
  return ok("visitors", "told-apart", "The proxy says whom a request comes from, and is believed.");
}

function hostOf({ baseUrl }: Place, { host }: Arrived): Finding {
  return host === new URL(baseUrl).host
    ? ok("host", "passed-on", "The name that visitors ask for arrives as they wrote it.")
    : note(
        "host",
        "host-changed",
        "The proxy puts another name in Host than visitors ask for. This server goes by its own address, so nothing breaks here.",
        "Let the proxy pass Host on (in nginx: proxy_set_header Host $host), so that logs and other programs agree.",
      );
}

function protoOf({ baseUrl }: Place, { proto }: Arrived): Finding {
  const wanted = new URL(baseUrl).protocol.slice(0, -1);
  if (proto === null || proto.split(",")[0]?.trim() === wanted)
    return ok(
      "protocol",
      proto === null ? "not-said" : "passed-on",
      `Visitors come by ${wanted}, as the address says.`,
    );
  return note(
    "protocol",
    "proto-differs",
    `The proxy says that visitors come by ${proto === "http" || proto === "https" ? proto : "something else"}, and the address says ${wanted}.`,
    "If visitors come by https, begin FREEHOLD_BASE_URL with https://; if the proxy is wrong, let it send the X-Forwarded-Proto that visitors use.",
  );
}

/** Apps sign the address that they ask (DPoP `htu`), and a signature counts for the address that arrives. */
function spellingOf({ asked }: Seen, { url }: Arrived): Finding {
  return url === asked
    ? ok("spelling", "same", "Addresses arrive as apps sign them, so their proofs hold.")
    : wrong(
        "spelling",
        "htu-changed",
        "Addresses are changed on the way: what apps sign is not what arrives, so they are refused.",
        "Let the proxy pass the address on as it is: no path in front of it, nothing decoded, nothing tidied up (in nginx: proxy_pass without a path).",
      );
}

function socketOf({ socket }: Seen): Finding {
  if (socket === undefined)
    return note(
      "live",
      "not-checked",
      "Whether live updates get through could not be looked at: there is no pod yet.",
      "Look again when somebody has opened one.",
    );
  return socket === null
    ? ok("live", "open", "Live updates (WebSockets) get through.")
    : wrong(
        "live",
        "upgrade-lost",
        `Live updates (WebSockets) do not get through: ${socket}. Apps show changes late, or never.`,
        'Let the proxy pass Upgrade on (in nginx: proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade, proxy_set_header Connection "upgrade").',
      );
}

function certificateOf({ baseUrl }: Place, seen: Seen, now: number): Finding {
  const { certificateEnds, failed, by } = seen;
  if (baseUrl.startsWith("http:"))
    return isOnThisMachine(baseUrl)
      ? ok("certificate", "not-needed", "On this machine alone, no certificate is needed.")
      : wrong(
          "certificate",
          "no-tls",
          "The address begins with http://, so everybody on the way can read and change what is sent, and browsers allow no passkeys.",
          "Put a proxy with a certificate in front of it, and begin FREEHOLD_BASE_URL with https://.",
        );
  if (failed !== null && OF_CERTIFICATE.test(failed))
    return wrong(
      "certificate",
      failed,
      `${WHY[failed] ?? "The certificate is not accepted"}.`,
      "Renew it, with its whole chain, where TLS ends.",
    );
  if (certificateEnds === null)
    return by === "browser"
      ? ok("certificate", "accepted", "This browser accepts the certificate.")
      : note(
          "certificate",
          "not-checked",
          "The certificate could not be looked at.",
          "Look again when the address can be reached.",
        );
  const days = Math.floor((certificateEnds - now) / DAY_MS);
  return days < CERTIFICATE_DAYS_SHORT
    ? wrong(
        "certificate",
        "ends-soon",
        `The certificate ends in ${days} days.`,
        "See why it is not renewed by itself, and renew it where TLS ends.",
      )
    : ok("certificate", "good", `The certificate is good for ${days} more days.`);
}

/** @param now Milliseconds since 1970. */
export function judge(place: Place, seen: Seen, now: number): readonly Finding[] {
  const { arrived } = seen;
  return [
    addressOf(place, seen),
    certificateOf(place, seen, now),
    ...(arrived
      ? [
          hostOf(place, arrived),
          protoOf(place, arrived),
          visitorsOf(place, arrived),
          spellingOf(seen, arrived),
        ]
      : []),
    ...(seen.failed === null ? [socketOf(seen)] : []),
  ];
}
