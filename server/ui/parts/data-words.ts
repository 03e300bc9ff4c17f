/** What data is called in daily life: kinds of things, and what is said of them. */

const SHAPES = "https://w3id.org/freehold/shapes/";

/** After "your". */
const KINDS: Readonly<Record<string, string>> = {
  [`${SHAPES}profile#PersonProfileShape`]: "profile",
  [`${SHAPES}profile#PostalAddressShape`]: "postal addresses",
  [`${SHAPES}profile#ContactPointShape`]: "ways to reach you",
  [`${SHAPES}profile#PassportShape`]: "passport",
  [`${SHAPES}contacts#ContactShape`]: "contacts",
  [`${SHAPES}commerce#OrderShape`]: "orders",
  [`${SHAPES}commerce#OrderItemShape`]: "list of what you bought",
  [`${SHAPES}commerce#BankTransactionShape`]: "payments",
  [`${SHAPES}commerce#MonetaryAmountShape`]: "sums of money",
  [`${SHAPES}iot#ObservationShape`]: "meter readings",
  [`${SHAPES}iot#QuantityValueShape`]: "measured numbers",
  [`${SHAPES}iot#SensorShape`]: "meters and sensors",
};

/** One thing, by the last part of its class's address. */
const THINGS: Readonly<Record<string, string>> = {
  Individual: "Contact",
  Person: "Person",
  PersonProfile: "Profile",
  Address: "Address",
  Order: "Order",
  OrderItem: "Something you bought",
  MoneyTransfer: "Payment",
  Observation: "Reading",
  Sensor: "Meter",
  MonetaryAmount: "Sum of money",
  Aggregate: "Total",
  TagAssignment: "Answer",
};

/** By the last part of a property's address. */
const FIELDS: Readonly<Record<string, string>> = {
  fn: "Name",
  hasName: "Name",
  name: "Name",
  "given-name": "First name",
  givenName: "First name",
  "family-name": "Last name",
  familyName: "Last name",
  nickname: "Nickname",
  bday: "Birthday",
  email: "Email",
  hasEmail: "Email",
  mbox: "Email",
  tel: "Phone",
  phone: "Phone",
  hasTelephone: "Phone",
  hasAddress: "Address",
  hasURL: "Web page",
  "street-address": "Street",
  locality: "Town",
  "postal-code": "Post code",
  region: "Region",
  "country-name": "Country",
  addressCountry: "Country",
  note: "Note",
  title: "Title",
  "organization-name": "Company",
  category: "Group",
  orderNumber: "Order number",
  orderDate: "Ordered on",
  orderedItem: "What",
  orderQuantity: "How many",
  orderStatus: "State",
  totalPaymentDue: "Total",
  seller: "Shop",
  price: "Price",
  priceCurrency: "Currency",
  amount: "Amount",
  bookingDate: "Booked on",
  valueDate: "Counts from",
  counterpartyName: "With whom",
  counterpartyRef: "Their account",
  accountRef: "Your account",
  remittance: "Text",
  direction: "In or out",
  bankTxCode: "Kind of payment",
  shippedOn: "Sent on",
  hasResult: "Value",
  hasSimpleResult: "Value",
  numericValue: "Value",
  value: "Value",
  resultTime: "When",
  phenomenonTime: "When",
  wasGeneratedBy: "Brought in by",
  wasDerivedFrom: "Made from",
  madeBySensor: "Meter",
  observedProperty: "What is measured",
  knowsLanguage: "Language",
  storage: "Where your pod is",
  oidcIssuer: "Where you sign in",
  identifier: "Number",
  issued: "Made on",
  created: "Made on",
  modified: "Changed on",
  source: "Where it is from",
  linkedIdentifierHash: "Code of a number",
  label: "Name",
  description: "About",
  count: "How many",
  atLeast: "How many, at least",
  ofClass: "Of what",
  ofProperty: "Of what",
  inMonth: "Month",
  inYear: "Year",
  inUnit: "Unit",
  mean: "On average",
  band: "Range",
  fee: "Fee",
  feeKind: "Kind of fee",
  reversal: "Paid back",
};

/** Numbers and codes, by which programs tell things apart; people look at them last. */
const FOR_MACHINES: ReadonlySet<string> = new Set([
  "identifier",
  "accountRef",
  "counterpartyRef",
  "bankTxCode",
  "linkedIdentifierHash",
  "orderNumber",
  "sku",
  "valueDate",
  "wasGeneratedBy",
  "wasDerivedFrom",
  "source",
]);

const lastOf = (address: string): string => /([^/#:]*)[/#]*$/.exec(address)?.[1] ?? "";

/** `bookingDate` as "Booking date". */
function spelled(name: string): string {
  const words = name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ")
    .replace(/[-_.]+/g, " ")
    .toLowerCase()
    .trim();
  return words === "" ? "" : words.charAt(0).toUpperCase() + words.slice(1, 40);
}

/** @param shape Address of a shape. @returns what to read after "your". */
export const kindWords = (shape: string): string =>
  Object.hasOwn(KINDS, shape) ? (KINDS[shape] ?? "") : "data of some kind";

/** @param type Address of a class; null when a thing names none. */
export function thingWords(type: string | null): string {
  if (type === null) return "Entry";
  const name = lastOf(type);
  return (Object.hasOwn(THINGS, name) ? THINGS[name] : spelled(name)) || "Entry";
}

/** @param property Its address. */
export function fieldWords(property: string): string {
  const name = lastOf(property);
  return (Object.hasOwn(FIELDS, name) ? FIELDS[name] : spelled(name)) || "Detail";
}

/** @param property Its address. */
export const isForMachines = (property: string): boolean => FOR_MACHINES.has(lastOf(property));

const WAYS: ReadonlyMap<string, string> = new Map([
  ["debit", "Out"],
  ["credit", "In"],
]);

/** Which way money went, as the column "In or out" has it; any other word stays. */
export const wayWords = (word: string): string => WAYS.get(word.toLowerCase()) ?? word;

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });

const month = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric" });

/** A value as a person reads it: dates in words. */
export function valueWords(text: string): string {
  if (Object.hasOwn(THINGS, text)) return THINGS[text] ?? text;
  if (/^\d{4}-(?:0\d|1[0-2])$/.test(text)) return month.format(new Date(`${text}-15T12:00:00Z`));
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return day.format(new Date(`${text}T12:00:00Z`));
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?$/.test(text) && !Number.isNaN(Date.parse(text)))
    return moment.format(new Date(text));
  return wayWords(text);
}
