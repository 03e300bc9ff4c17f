/** What a person finds first in an archive. */
import type { Manifest } from "./manifest.ts";

/** `README.txt` of an export. */
export function readmeOf({ pod, root, owner, taken, server }: Manifest): string {
  return `This is everything that was in the pod "${pod}" on ${taken}.

Address   ${root}
Owner     ${owner}
Made by   ${server}

What is in here

data/              Your documents and files, in your own folders, byte for byte.
                   A file that ends in .acl says who may see or change the file of
                   the same name; one that ends in .meta describes it.
account.json       What the server knows of you beside your pod, but for secrets.
journal.jsonl      Who did what in the pod and when, one line each.
consent/           What vendors were given and did with it, with signed receipts, as
                   far as there is any. Another server believes it if your passport
                   says that you were here.
passport/          Your passport's signed records, if you have a passport. Its keys
                   are not in here: only you have them, in your recovery file.
manifest.json      The list of everything: address, media type, size, dates, and a
                   SHA-256 fingerprint by which each file can be checked.

Earlier versions of documents, and what was in the trash, are not in here: bring back
first what you want to take along.

A few names may differ from those in your pod: names that some computers cannot
store, or that they would take for one another, were changed. manifest.json says
what each is called in your pod.

What to do with it

Keep it somewhere safe: whoever has this file can read everything in it.
To go on elsewhere, open an account with any provider of pods and import this file
there. Another Freehold server restores addresses, access rights and dates. Any other
Solid server can be given the folder data/ as it is; documents that end in .ttl are
text and can be opened with any editor.
`;
}
