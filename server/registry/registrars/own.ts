/** A registry of one's own accredits itself: its first policy, and its one registrar as it is today. */
import {
  encodeBase64url,
  firstPolicy,
  type GovernanceDraft,
  hashOfRules,
  type PublicKey,
  type RegistrarRecord,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Book } from "./book.ts";

export interface OwnRegistrar {
  readonly id: string;
  readonly name: string;
  readonly key: PublicKey;
  readonly createPerDay: number;
}

const isSame = (before: RegistrarRecord, { name, key, createPerDay }: OwnRegistrar): boolean =>
  before.name === name && before.keys.join() === key && before.createPerDay === createPerDay;

/**
 * Says what is not said yet; nothing where all is.
 * @param registryUrl Ends in `/`; where the policy can be read.
 */
export async function accreditOwn(book: Book, own: OwnRegistrar, registryUrl: string): Promise<void> {
  const { policy } = await book.current();
  if (!policy)
    await said(
      book,
      firstPolicy([
        { id: "engagement-1", url: `${registryUrl}v1/policy`, hash: encodeBase64url(await hashOfRules()) },
      ]),
    );
  const before = (await book.current()).registrars.get(own.id)?.record;
  if (before && isSame(before, own)) return;
  const draft: Extract<GovernanceDraft, { readonly t: "registrar" }> = {
    t: "registrar",
    id: own.id,
    name: own.name,
    keys: [own.key],
    hosts: before?.hosts ?? [],
    createPerDay: own.createPerDay,
    contact: `${registryUrl}v1/help`,
    accreditation: null,
  };
  await said(book, draft);
}

/** Another server on the same store may say the same at the same moment: then it is said. */
async function said(book: Book, draft: GovernanceDraft): Promise<void> {
  try {
    await book.add(draft);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "input-invalid" || (await book.current()).n === 0)
      throw error;
  }
}
