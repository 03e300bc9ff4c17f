/** Post-quantum lines weigh 3.3 KB each: answers go without them where the quorum stands without them. */
import {
  formatNote,
  judgePolicy,
  ML_DSA_44_LINE_BYTES,
  type Note,
  type Policy,
  parseNote,
} from "@freehold/client/registry";

const isHeavy = ({ bytes }: Note["signatures"][number]): boolean => bytes.length === ML_DSA_44_LINE_BYTES;

/** @returns the note without its ML-DSA-44 lines; the same when the policy needs one of them, or there is none. */
export async function lightNote(text: string, policy: Policy): Promise<string> {
  const note = parseNote(text);
  const signatures = note.signatures.filter((one) => !isHeavy(one));
  if (signatures.length === note.signatures.length) return text;
  const light = { body: note.body, signatures };
  const { isMet } = await judgePolicy(policy, light, {
    now: Number.MAX_SAFE_INTEGER,
    maxAgeSeconds: Infinity,
  });
  return isMet ? formatNote(light) : text;
}
