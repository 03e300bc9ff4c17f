/* oxlint-disable no-console -- A shop keeps its customers' addresses as they are now: vendor-crm.ts <folder> <pod> <place> */
/**
 * Asks a person for the address, keeps it in a small database of its own, and takes over each change when the person makes
 * it, until the grant ends: then it forgets the address. It can be stopped and started again at any time.
 *
 * <folder> is one that `freehold vendor init` made; <pod> is the pod's address; <place> is a document in it.
 */
import {
  countersign,
  FreeholdError,
  openPod,
  queryUnder,
  requestAccess,
  under,
  waitForDecision,
  watch,
} from "@freehold/client";
import { openVendor, readJson, writeJson } from "@freehold/client/node";

const [folder = "", where = "", place = ""] = process.argv.slice(2);

const PURPOSE = "https://w3id.org/dpv#DeliveryOfGoods";
const DAYS = 90;
const FIELDS = {
  street: "street-address",
  code: "postal-code",
  city: "locality",
  country: "country-name",
} as const;
const ADDRESS = `PREFIX vcard: <http://www.w3.org/2006/vcard/ns#>
  SELECT ${Object.keys(FIELDS)
    .map((name) => `?${name}`)
    .join(" ")} {
    ?address vcard:street-address ?street .
    ${Object.entries(FIELDS)
      .slice(1)
      .map(([name, property]) => `OPTIONAL { ?address vcard:${property} ?${name} }`)
      .join("\n    ")}
  } LIMIT 1`;

type Address = Partial<Record<keyof typeof FIELDS, string>>;

/** What the shop knows of one customer. */
interface Customer {
  readonly request?: string;
  readonly grant?: string;
  readonly address?: Address;
  /** When it was last read, ISO 8601. */
  readonly read?: string;
  /** Why nothing is known any more. */
  readonly ended?: string;
}

try {
  const vendor = await openVendor(folder);
  const pod = await openPod(where, { fetch: vendor.fetch });
  const file = `${folder}/customer ${encodeURIComponent(pod.url)}.json`; // The database: a file for each customer.
  let customer = ((await readJson(file)) ?? {}) as Customer;
  const note = async (change: Partial<Customer>): Promise<void> => {
    customer = { ...customer, ...change };
    await writeJson(file, customer);
  };

  if (customer.grant === undefined) {
    const { id } = await requestAccess(
      pod,
      {
        access: [
          {
            places: [place],
            purposes: [PURPOSE],
            until: new Date(Date.now() + DAYS * 86_400_000),
            categories: ["https://w3id.org/dpv/pd#PhysicalAddress"],
            mode: "store",
            dataLife: `P${DAYS}D`,
          },
        ],
        notice: "https://shop.example/privacy",
        benefit: { en: "Your parcels find you, also after you move" },
      },
      vendor.identity,
    );
    await note({ request: id });
    console.log(`asked ${id}`);
    const { state, grants } = await waitForDecision(pod, id);
    const [grant] = grants;
    if (grant === undefined) throw new FreeholdError("refused", "The person said no", { detail: state });
    await countersign(pod, grant, vendor.identity);
    await note({ grant });
    console.log(`granted ${grant}`);
  }

  const basis = { grant: customer.grant ?? "", purpose: PURPOSE, ledger: vendor.ledger };
  const take = async (): Promise<void> => {
    for await (const row of queryUnder<keyof Address>(pod, basis, ADDRESS)) {
      const address = Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell.value]));
      if (JSON.stringify(address) === JSON.stringify(customer.address)) continue;
      await note({ address, read: new Date().toISOString() });
      console.log(`address ${JSON.stringify(address)}`);
    }
  };
  try {
    for await (const { type } of watch(under(pod, basis), place)) {
      await take();
      if (type === "Begin") console.log("watching");
    }
  } catch (error) {
    if (!(error instanceof FreeholdError) || ![403, 404].includes(error.status)) throw error;
    // What was given for a time is not kept beyond it.
    await writeJson(file, { ended: error.code });
    console.log(`ended ${error.code}`);
  }
} catch (error) {
  if (!(error instanceof FreeholdError)) throw error;
  const { code, title, detail, next } = error; // The server's own words.
  console.error([title, detail, next].filter(Boolean).join("\n"));
  process.exitCode = { "login-failed": 2, "vendor-unknown": 3, refused: 4, forbidden: 4 }[code] ?? 1;
}
