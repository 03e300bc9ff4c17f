/** What the endpoint says of itself: nothing that depends on who asks, and no list of graphs. */
import { rdf, sd } from "@freehold/vocab";
import { blankNode, namedNode, type Quad, quad, type Value } from "../rdf/terms.ts";

const FORMATS = [
  "SPARQL_Results_JSON",
  "SPARQL_Results_XML",
  "SPARQL_Results_CSV",
  "SPARQL_Results_TSV",
  "Turtle",
  "JSON-LD",
  "N-Triples",
];
const UNION_OPT_IN = "http://www.w3.org/ns/solid/sparql#UnionDefaultGraphOptIn";

export const DESCRIPTION_PREFIXES = {
  sd: "http://www.w3.org/ns/sparql-service-description#",
  "solid-sparql": "http://www.w3.org/ns/solid/sparql#",
};

/**
 * @param endpoint The endpoint's address.
 * @see https://www.w3.org/TR/sparql11-service-description/
 */
export function describeEndpoint(endpoint: string): Quad[] {
  const service = blankNode("service");
  const say = (predicate: string, object: Value): Quad => quad(service, namedNode(predicate), object);
  return [
    say(rdf.type, namedNode(sd.Service)),
    say(sd.endpoint, namedNode(endpoint)),
    say(sd.supportedLanguage, namedNode(sd.SPARQL11Query)),
    say(sd.feature, namedNode(UNION_OPT_IN)),
    ...FORMATS.map((name) => say(sd.resultFormat, namedNode(`http://www.w3.org/ns/formats/${name}`))),
  ];
}
