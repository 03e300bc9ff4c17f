/** A zone with its book of registrars and vendors: what the book says is in the zone's log before anybody is shown it. */
import type { Zone } from "./port.ts";
import { type Book, createBook } from "./registrars/book.ts";
import type { ZoneDeps } from "./zone/deps.ts";
import { createZone } from "./zone/zone.ts";

/** @param factsBy What the zone knows of whom, by its book. @throws as `createZone`. */
export async function createGovernedZone(
  deps: Omit<ZoneDeps, "facts">,
  factsBy: (book: Book) => ZoneDeps["facts"],
): Promise<{ readonly zone: Zone; readonly book: Book }> {
  const { name, store, pod, keys, now, allowUrl } = deps;
  const book = createBook({
    zone: name,
    store,
    pod,
    signer: keys.zone,
    now,
    ...(allowUrl && { allowUrl }),
    govern: (hash) => zone.govern(hash),
  });
  const zone = await createZone({ ...deps, facts: factsBy(book) });
  return { zone, book };
}
