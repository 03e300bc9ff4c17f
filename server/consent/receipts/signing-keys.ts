/**
 * The keys by which a person of this server signs requests and receipts as a vendor: they stand in the public card, where
 * others look for them. An app that may write the card could sign in its owner's name, so it is changed by these doors only.
 * @see https://www.w3.org/TR/cid-1.0/#Multikey
 */
import { rdf, sec } from "@freehold/vocab";
import { Problem } from "../../errors.ts";
import type { Agent, Operation } from "../../operation.ts";
import { literal, namedNode, type Quad, quad } from "../../rdf/terms.ts";
import type { Pod } from "../../store/pods.ts";
import type { Snapshot, Store } from "../../store/store.ts";
import { type Call, type ConsentDoor, namedAgent } from "../doors.ts";
import { keyOfMultikey } from "../shared.ts";

export interface SigningKeysDeps {
  readonly store: Pick<Store, "read">;
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
  /** Writes the owner's card anew, past what protects it from apps, and notes it in the journal. */
  readonly changeCard: (
    pod: Pod,
    operation: Operation,
    change: (card: readonly Quad[]) => readonly Quad[],
  ) => Promise<void>;
}

const KEYS_MAX = 8; // Of one person: one for each machine, and some that are being replaced.
const MULTIKEY = namedNode(sec.Multikey);

/** The statements of a key. */
function described(webid: string, multikey: string): readonly Quad[] {
  const person = namedNode(webid);
  const key = namedNode(`${webid.split("#", 1)[0]}#${multikey}`);
  return [
    quad(person, namedNode(sec.assertionMethod), key),
    quad(key, namedNode(rdf.type), MULTIKEY),
    quad(key, namedNode(sec.controller), person),
    quad(key, namedNode(sec.publicKeyMultibase), literal(multikey)),
  ];
}

const isAbout = (one: Quad, key: string): boolean => one.subject.value === key || one.object.value === key;

/** @throws Problem `conflict` for one key too many. */
function withKey(card: readonly Quad[], webid: string, multikey: string): readonly Quad[] {
  const others = withoutKey(card, webid, multikey);
  const known = others.filter(
    ({ subject, predicate }) => subject.value === webid && predicate.value === sec.assertionMethod,
  );
  if (known.length >= KEYS_MAX)
    throw new Problem(
      "conflict",
      `A person signs with at most ${KEYS_MAX} keys; remove one that is not used`,
    );
  return [...others, ...described(webid, multikey)];
}

function withoutKey(card: readonly Quad[], webid: string, multikey: string): readonly Quad[] {
  const key = `${webid.split("#", 1)[0]}#${multikey}`;
  return card.filter((one) => !isAbout(one, key));
}

export function signingKeyDoors(deps: SigningKeysDeps): readonly ConsentDoor[] {
  const door =
    (change: typeof withKey, status: number): ConsentDoor["act"] =>
    async (call: Call) => {
      const { operation, pod, id } = call;
      const webid = namedAgent(call);
      // The card says who speaks for one person: nobody else has keys in it, whatever control they were given.
      const isOwner =
        webid === pod.owner &&
        (await deps.store.read(pod.id, (snapshot) => deps.isOwner(snapshot, pod, operation.agent)));
      if (!isOwner) throw new Problem("forbidden", "Only the owner of the pod signs by these keys");
      if (keyOfMultikey(id) === null)
        throw new Problem("bad-request", "The address ends in a public Ed25519 key, as a Multikey: z6Mk…");
      await deps.changeCard(pod, operation, (card) => change(card, pod.owner, id));
      const location = `${pod.owner.split("#", 1)[0]}#${id}`;
      return { status, headers: status === 201 ? { location } : {}, body: null };
    };
  return [
    { verb: "put", path: ".consent/keys/:id", act: door(withKey, 201) },
    { verb: "delete", path: ".consent/keys/:id", act: door(withoutKey, 204) },
  ];
}
