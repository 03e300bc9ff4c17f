/** Imports a statement that is made while it is read, in a heap too small to hold its documents: for `hostile.test.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { importFile } from "../../server/import/import-file.ts";
import { LIMITS } from "../../server/limits.ts";

const { bookings, hoard } = workerData as { readonly bookings: number; readonly hoard: boolean };

const booking = (reference: string): string =>
  `<Ntry><Amt Ccy="CHF">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>2026-03-02</Dt></BookgDt><AcctSvcrRef>${reference}</AcctSvcrRef></Ntry>\n`;

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><S><Stmt>\n<Acct><Id><IBAN>CH9300762011623852957</IBAN></Id></Acct>\n',
  );
  for (let place = 0; place < bookings; place += 100) {
    yield Buffer.from(Array.from({ length: 100 }, (_, more) => booking(`R${place + more}`)).join(""));
  }
  yield Buffer.from("</Stmt></S></Document>");
}

let documents = 0;
const kept: string[] = [];
for await (const document of importFile({
  name: "large.xml",
  content: content(),
  pod: { name: "ana", url: "https://pods.example/ana/", secret: "s" },
  now: () => new Date(0),
  limits: LIMITS,
})) {
  if (document.shape === null) continue;
  documents += 1;
  if (hoard) kept.push(Buffer.concat([document.bytes, document.bytes]).toString("utf16le")); // On the heap, where bytes are not.
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(documents);
