/** Whose connection a request is: behind proxies of ours, whoever the first of them saw. */
import type { IncomingMessage } from "node:http";
import express from "express";

export type ClientAddress = (request: IncomingMessage) => string;

/** The setting of that name: nobody's word is taken unless it is trusted. */
export const trustProxy = (trusted: readonly string[]): string[] | false =>
  trusted.length > 0 ? [...trusted] : false;

/**
 * What `request.ip` is, for requests that no route of Express has seen.
 * @param trusted Addresses, networks, and Express's names for some, of proxies whose `X-Forwarded-For` is believed.
 * @see https://expressjs.com/en/guide/behind-proxies.html
 */
export function createClientAddress(trusted: readonly string[]): ClientAddress {
  const app = express();
  app.set("trust proxy", trustProxy(trusted));
  const trusts = app.get("trust proxy fn") as (address: string, hop: number) => boolean;
  return ({ socket, headers }) => {
    if (headers["x-forwarded-for"] === undefined) return socket.remoteAddress ?? "";
    const said = [headers["x-forwarded-for"]].flat().flatMap((field) => field.split(","));
    const hops = [socket.remoteAddress ?? "", ...said.map((one) => one.trim()).reverse()].filter(Boolean);
    return hops.find((address, hop) => !trusts(address, hop)) ?? hops.at(-1) ?? "";
  };
}
