/** From the words of a command line to a pod and a place in it. */
import type { Context } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import { parseTarget } from "../../iri.ts";
import type { Pod } from "../../store/pods.ts";

/** @throws OperatorError when there is no such pod (any more). */
export async function podNamed({ pods }: Pick<Context, "pods">, name: string): Promise<Pod> {
  const pod = await pods.find(name);
  if (!pod || pod.erased !== undefined) throw new OperatorError(`There is no pod called ${name}.`);
  return pod;
}

/** `notes/today.ttl`, or `/ana/notes/today.ttl`; nothing is the pod itself. @throws Problem `path-invalid`. */
export function placeIn(pod: Pod, place = ""): string {
  const root = `/${pod.name}/`;
  return parseTarget(place.startsWith(root) ? place : `${root}${place.replace(/^\//, "")}`).path;
}
