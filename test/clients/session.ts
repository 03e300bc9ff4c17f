/** People logged in as applications do it, with a DPoP session of @inrupt/solid-client-authn-node; and what they write. */
import {
  buildThing,
  createSolidDataset,
  createThing,
  getSourceUrl,
  getStringNoLocale,
  getThing,
  type SolidDataset,
  setThing,
  type Thing,
  type WithResourceInfo,
} from "@inrupt/solid-client";
import { EVENTS, Session } from "@inrupt/solid-client-authn-node";
import type { Person, TestServer } from "../support/server.ts";

export interface Client {
  readonly session: Session;
  /** What every function of @inrupt/solid-client takes last. */
  readonly as: { readonly fetch: typeof globalThis.fetch };
}

export async function openSession({ baseUrl }: TestServer, { credentials }: Person): Promise<Client> {
  const session = new Session({ keepAlive: false });
  session.events.on(EVENTS.TIMEOUT_SET, (timer: unknown) => (timer as NodeJS.Timeout).unref());
  await session.login({
    oidcIssuer: baseUrl,
    clientId: credentials.id,
    clientSecret: credentials.secret,
    tokenType: "DPoP",
  });
  return { session, as: { fetch: session.fetch } };
}

/** `201` of an answer, or of the error that @inrupt/solid-client throws for it. */
export async function statusOf(answer: Promise<unknown>): Promise<number | string> {
  try {
    const value = await answer;
    return value instanceof Response ? value.status : "done";
  } catch (error) {
    return (error as { statusCode?: number }).statusCode ?? String(error);
  }
}

export const SCHEMA = "https://schema.org/";
export const NAME: string = `${SCHEMA}name`;

/** A document that says one thing of `#it`. */
export const note = (text: string): SolidDataset =>
  setThing(
    createSolidDataset(),
    buildThing(createThing({ name: "it" }))
      .addStringNoLocale(NAME, text)
      .build(),
  );

export const thingOf = (dataset: SolidDataset, url: string): Thing => {
  const thing = getThing(dataset, url);
  if (!thing) throw new Error(`There is no ${url}`);
  return thing;
};

export const textOf = (dataset: SolidDataset & WithResourceInfo): string | null =>
  getStringNoLocale(thingOf(dataset, `${getSourceUrl(dataset)}#it`), NAME);
