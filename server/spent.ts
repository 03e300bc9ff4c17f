/**
 * Large bytes that are used once, freed when they are done with. Left to the collector, every few tens of megabytes would
 * make it go through the whole heap, which costs more than to open a sealed file and send it.
 */
const once = new WeakSet<Uint8Array>();

/** Says that nobody else holds these bytes: whoever is done with them may {@link spend} them. */
export function usedOnce<T extends Uint8Array>(bytes: T): T {
  // Of a part, the rest may be somebody else's.
  if (bytes.byteLength === bytes.buffer.byteLength && bytes.byteLength > 0) once.add(bytes);
  return bytes;
}

/** Frees the bytes, if that was said of them: nothing is in them any more. */
export function spend(bytes: Uint8Array): void {
  if (once.delete(bytes)) (bytes.buffer as ArrayBuffer).transfer(0);
}
