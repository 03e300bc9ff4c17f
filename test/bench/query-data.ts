/** A pod of any size by one seed: a profile, contacts, a catalogue, orders, messages, bank statements, sensors; about 27 quads a document. */
import { rdf, xsd } from "@freehold/vocab";
import { literal, type NamedNode, namedNode, type Quad, quad, type Value } from "../../server/rdf/terms.ts";
import { createChance } from "../query/oracle/chance.ts";

export interface BenchDocument {
  readonly name: string;
  readonly quads: readonly Quad[];
}

const S = "https://schema.org/";
const SOSA = "http://www.w3.org/ns/sosa/";
const TYPE = namedNode(rdf.type);
const XSD = xsd.integer.replace("integer", "");
const DECIMAL = namedNode(`${XSD}decimal`);
const DATE_TIME = namedNode(`${XSD}dateTime`);
const INTEGER = namedNode(`${XSD}integer`);
const DATE = namedNode(`${XSD}date`);

const FIRST = [
  "Ana",
  "Ben",
  "Cleo",
  "Dan",
  "Eva",
  "Finn",
  "Gia",
  "Hugo",
  "Ida",
  "Jon",
  "Kim",
  "Leo",
  "Mia",
  "Nils",
  "Ola",
  "Pia",
] as const;
const LAST = [
  "Bauer",
  "Costa",
  "Dubois",
  "Eriksen",
  "Fischer",
  "Garcia",
  "Haas",
  "Ivanov",
  "Jansen",
  "Kovac",
  "Lang",
  "Moreau",
] as const;
const CITIES = ["Vienna", "Graz", "Porto", "Lyon", "Oslo", "Ghent", "Turin", "Brno", "Riga", "Cork"] as const;
const WORDS = [
  "milk",
  "bread",
  "train",
  "ticket",
  "meeting",
  "garden",
  "invoice",
  "holiday",
  "music",
  "river",
  "winter",
  "bicycle",
  "apple",
  "letter",
  "doctor",
  "school",
  "coffee",
  "window",
  "summer",
  "market",
] as const;
const CATEGORIES = ["food", "books", "clothes", "tools", "toys", "travel", "health", "energy"] as const;

const predicates = new Map<string, NamedNode>();
const term = (iri: string): NamedNode => {
  let known = predicates.get(iri);
  if (!known) predicates.set(iri, (known = namedNode(iri)));
  return known;
};
const day = (n: number): string => new Date(Date.UTC(2023, 0, 1) + n * 86_400_000).toISOString().slice(0, 10);
const two = (n: number): string => String(n).padStart(2, "0");

/**
 * @param root Address of the pod, with its last slash.
 * @param quadsMin It ends with the document that reaches this.
 */
export function* makeDocuments(root: string, quadsMin: number, seed: number): Generator<BenchDocument> {
  const chance = createChance(seed);
  const people = Math.max(20, Math.floor(quadsMin / 60));
  const products = Math.max(20, Math.floor(quadsMin / 200));
  const iri = (path: string): NamedNode => namedNode(root + path);
  const person = (n: number): NamedNode => iri(`contacts/${Math.floor(n / 3)}.ttl#p${n}`);
  const product = (n: number): NamedNode => iri(`catalog/${Math.floor(n / 5)}.ttl#i${n}`);
  const someone = (): NamedNode => person(chance.below(people));
  const integer = (n: number): Value => literal(String(n), INTEGER);
  const money = (cents: number): Value => literal((cents / 100).toFixed(2), DECIMAL);
  const moment = (text: string): Value => literal(text, DATE_TIME);

  function write(
    name: string,
    fill: (add: (s: NamedNode, p: string, o: Value) => void, self: string) => void,
  ): BenchDocument {
    const quads: Quad[] = [];
    fill((s, p, o) => void quads.push(quad(s, p === "a" ? TYPE : term(p), o)), name);
    return { name: root + name, quads };
  }

  function contacts(n: number): BenchDocument {
    return write(`contacts/${n}.ttl`, (add) => {
      for (let at = n * 3; at < n * 3 + 3 && at < people; at++) {
        const self = person(at);
        const name = `${chance.pick(FIRST)} ${chance.pick(LAST)} ${at}`;
        add(self, "a", term(`${S}Person`));
        add(self, `${S}name`, literal(name));
        add(self, `${S}email`, namedNode(`mailto:p${at}@example.org`));
        if (chance.is(70)) add(self, `${S}telephone`, literal(`+43 1 ${100_000 + chance.below(900_000)}`));
        add(self, `${S}birthDate`, literal(day(-chance.below(20_000)), DATE));
        add(self, `${S}addressLocality`, literal(chance.pick(CITIES)));
        for (const other of new Set([someone(), someone(), someone()].map(({ value }) => value)))
          add(self, `${S}knows`, namedNode(other));
      }
    });
  }
  function catalogue(n: number): BenchDocument {
    return write(`catalog/${n}.ttl`, (add) => {
      for (let at = n * 5; at < n * 5 + 5 && at < products; at++) {
        const self = product(at);
        add(self, "a", term(`${S}Product`));
        add(self, `${S}name`, literal(`${chance.pick(WORDS)} ${chance.pick(WORDS)} ${at}`));
        add(self, `${S}category`, literal(chance.pick(CATEGORIES)));
        add(self, `${S}brand`, literal(`Brand ${chance.below(40)}`));
        add(self, `${S}price`, money(100 + chance.below(20_000)));
      }
    });
  }
  function order(n: number): BenchDocument {
    return write(`orders/${n}.ttl`, (add, name) => {
      const self = iri(`${name}#it`);
      add(self, "a", term(`${S}Order`));
      add(
        self,
        `${S}orderDate`,
        moment(`${day(chance.below(1_000))}T${two(chance.below(24))}:${two(chance.below(60))}:00Z`),
      );
      add(self, `${S}seller`, namedNode(`https://shop${chance.below(25)}.example/#it`));
      add(self, `${S}customer`, iri("profile/card#me"));
      add(
        self,
        `${S}orderStatus`,
        term(S + chance.pick(["OrderDelivered", "OrderInTransit", "OrderReturned"])),
      );
      let total = 0;
      for (let at = 0; at < 4; at++) {
        const item = iri(`${name}#item${at}`);
        const [quantity, cents] = [1 + chance.below(4), 100 + chance.below(9_000)];
        total += quantity * cents;
        add(self, `${S}orderedItem`, item);
        add(item, "a", term(`${S}OrderItem`));
        add(item, `${S}itemOffered`, product(chance.below(products)));
        add(item, `${S}orderQuantity`, integer(quantity));
        add(item, `${S}price`, money(cents));
      }
      add(self, `${S}totalPrice`, money(total));
    });
  }
  function messages(n: number): BenchDocument {
    return write(`messages/${n}.ttl`, (add, name) => {
      for (let at = 0; at < 5; at++) {
        const self = iri(`${name}#m${at}`);
        const text = Array.from({ length: 8 + chance.below(10) }, () => chance.pick(WORDS)).join(" ");
        add(self, "a", term(`${S}Message`));
        add(self, `${S}text`, literal(`${text[0]!.toUpperCase()}${text.slice(1)}.`));
        add(self, `${S}dateCreated`, moment(`${day(n % 1_000)}T${two(8 + at)}:${two(chance.below(60))}:00Z`));
        add(self, `${S}sender`, someone());
        if (at > 0) add(self, `${S}parentItem`, iri(`${name}#m${chance.below(at)}`));
        if (chance.is(50)) add(self, `${S}about`, iri(`orders/${chance.below(n + 1)}.ttl#it`));
      }
    });
  }
  function bank(n: number): BenchDocument {
    return write(`bank/${n}.ttl`, (add, name) => {
      const account = iri(`bank/account${chance.below(4)}#it`);
      for (let at = 0; at < 4; at++) {
        const self = iri(`${name}#t${at}`);
        add(self, "a", term(`${S}MoneyTransfer`));
        add(self, `${S}amount`, money(chance.below(100_000) - 60_000));
        add(self, `${S}orderDate`, moment(`${day(n % 1_000)}T${two(6 + at)}:00:00Z`));
        add(self, `${S}category`, literal(chance.pick(CATEGORIES)));
        add(self, `${S}recipient`, namedNode(`https://shop${chance.below(25)}.example/#it`));
        add(self, `${S}account`, account);
        if (chance.is(30)) add(self, `${S}description`, literal(`${chance.pick(WORDS)} ${n}-${at}`));
      }
    });
  }
  function sensors(n: number): BenchDocument {
    return write(`sensors/${n}.ttl`, (add, name) => {
      for (let at = 0; at < 6; at++) {
        const self = iri(`${name}#o${at}`);
        add(self, "a", term(`${SOSA}Observation`));
        add(self, `${SOSA}madeBySensor`, iri(`sensors/s${n % 8}#it`));
        add(
          self,
          `${SOSA}resultTime`,
          moment(`${day(Math.floor(n / 8) % 1_000)}T${two(at * 4)}:${two(chance.below(60))}:00Z`),
        );
        add(self, `${SOSA}hasSimpleResult`, literal((15 + chance.below(1_000) / 100).toFixed(2), DECIMAL));
      }
    });
  }

  function* inOrder(): Generator<BenchDocument> {
    yield write("profile/card", (add) => {
      const me = iri("profile/card#me");
      add(me, "a", term(`${S}Person`));
      add(me, `${S}name`, literal("Ana"));
      for (let at = 0; at < 20; at++) add(me, `${S}knows`, person(chance.below(people)));
    });
    for (let n = 0; n * 3 < people; n++) yield contacts(n);
    for (let n = 0; n * 5 < products; n++) yield catalogue(n);
    for (let n = 0; ; n++) for (const make of [order, messages, bank, sensors]) yield make(n);
  }
  let count = 0;
  for (const document of inOrder()) {
    yield document;
    count += document.quads.length;
    if (count >= quadsMin) return;
  }
}

const PREFIXES = `PREFIX s: <${S}>\nPREFIX sosa: <${SOSA}>\nPREFIX xsd: <${XSD}>\n`;

export interface BenchQuery {
  readonly name: string;
  readonly text: string;
  /** More than one pattern over much of the data: what a list of graphs makes slow. */
  readonly isJoin: boolean;
}

/** Queries of every kind, with names that say what they do. */
export function queriesFor(root: string): readonly BenchQuery[] {
  const query = (name: string, where: string, isJoin = false): BenchQuery => ({
    name,
    text: PREFIXES + where,
    isJoin,
  });
  return [
    query("point: all about one person", `SELECT ?p ?o { <${root}contacts/3.ttl#p10> ?p ?o }`),
    query(
      "star: items with product, quantity, price",
      "SELECT ?i ?p ?q ?c { ?i a s:OrderItem ; s:itemOffered ?p ; s:orderQuantity ?q ; s:price ?c }",
      true,
    ),
    query(
      "three hops from one person",
      `SELECT ?d ?n { <${root}contacts/3.ttl#p10> s:knows ?b . ?b s:knows ?c . ?c s:knows ?d . ?d s:name ?n }`,
      true,
    ),
    query(
      "filter, order, limit",
      "SELECT ?o ?t { ?o s:totalPrice ?t ; s:orderDate ?d FILTER (?t > 200) } ORDER BY DESC(?t) LIMIT 10",
      true,
    ),
    query(
      "sum by seller",
      "SELECT ?s (SUM(?t) AS ?sum) (COUNT(?o) AS ?n) { ?o s:seller ?s ; s:totalPrice ?t } GROUP BY ?s",
      true,
    ),
    query(
      "two optionals",
      "SELECT ?n ?t ?c { ?p a s:Person ; s:name ?n OPTIONAL { ?p s:telephone ?t } OPTIONAL { ?p s:addressLocality ?c } }",
      true,
    ),
    query(
      "union and a range of dates",
      'SELECT ?x ?d { { ?x s:orderDate ?d } UNION { ?x s:dateCreated ?d } FILTER (?d >= "2024-03-01T00:00:00Z"^^xsd:dateTime && ?d < "2024-04-01T00:00:00Z"^^xsd:dateTime) }',
    ),
    query(
      "path: a thread of answers",
      `SELECT ?m ?t { ?m s:parentItem+ <${root}messages/7.ttl#m0> ; s:text ?t }`,
    ),
    query(
      "text: two words in messages",
      'SELECT ?m { ?m s:text ?t FILTER (CONTAINS(LCASE(?t), "bicycle winter")) }',
    ),
    query("count of everything", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"),
    query(
      "not exists: orders nobody wrote about",
      "SELECT ?o { ?o a s:Order FILTER NOT EXISTS { ?m s:about ?o } }",
      true,
    ),
    query(
      "sensor: averages by day of one month",
      `SELECT ?y (AVG(?v) AS ?avg) { ?o sosa:madeBySensor <${root}sensors/s3#it> ; sosa:resultTime ?t ; sosa:hasSimpleResult ?v FILTER (?t >= "2023-01-01T00:00:00Z"^^xsd:dateTime && ?t < "2023-02-01T00:00:00Z"^^xsd:dateTime) } GROUP BY (DAY(?t) AS ?y)`,
    ),
    query(
      "graph: where one person is spoken of",
      `SELECT DISTINCT ?g { GRAPH ?g { ?x s:sender <${root}contacts/3.ttl#p10> } }`,
    ),
    query(
      "five joins and a group",
      "SELECT ?c (SUM(?q * ?m) AS ?sum) { ?o a s:Order ; s:orderedItem ?i . ?i s:itemOffered ?p ; s:orderQuantity ?q ; s:price ?m . ?p s:category ?c } GROUP BY ?c",
      true,
    ),
    query(
      "minus: products never ordered",
      "SELECT ?p { ?p a s:Product MINUS { ?i s:itemOffered ?p } }",
      true,
    ),
    query(
      "distinct senders about orders",
      "SELECT DISTINCT ?n { ?m s:about ?o ; s:sender ?p . ?p s:name ?n }",
      true,
    ),
    query(
      "sub-select: the largest order of each seller",
      "SELECT ?s ?o ?max { { SELECT ?s (MAX(?t) AS ?max) { ?x s:seller ?s ; s:totalPrice ?t } GROUP BY ?s } ?o s:seller ?s ; s:totalPrice ?max }",
      true,
    ),
    query(
      "values: balances of two categories",
      'SELECT ?c (SUM(?a) AS ?sum) { VALUES ?c { "food" "travel" } ?x a s:MoneyTransfer ; s:category ?c ; s:amount ?a } GROUP BY ?c',
      true,
    ),
  ];
}
