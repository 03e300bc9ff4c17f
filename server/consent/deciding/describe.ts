/** Preferences as RDF: the policy they stand for, with its version, and for each level and each way to be reached a node. */
import { dcterms, fh, odrl, rdf, xsd } from "@freehold/vocab";
import { blankNode, literal, namedNode, type Quad, quad, type Subject, type Value } from "../../rdf/terms.ts";
import { policyQuads } from "../odrl/rdf.ts";
import { compilePreferences } from "./compile.ts";
import { LEVELS } from "./levels.ts";
import type { Preferences, Standing } from "./preferences.ts";

/**
 * @param url Address of the preferences; what they say stands under it as `#policy`, `#everybody` and `#campaigns`.
 * @returns what `shapes/preferences.ttl` describes.
 */
export function preferenceQuads(preferences: Preferences, url: string): readonly Quad[] {
  const { version, everybody, vendorCategories, vendors, campaigns } = preferences;
  const policy = namedNode(`${url}#policy`);
  const quads: Quad[] = [...policyQuads(compilePreferences(preferences, policy.value))];
  const say = (subject: Subject, predicate: string, object: Value): void => {
    quads.push(quad(subject, namedNode(predicate), object));
  };
  const typed = (value: string, type: string): Value => literal(value, namedNode(type));
  const moment = (time: number): Value => typed(new Date(time).toISOString(), xsd.dateTime);
  const standings = [everybody, ...Object.values(vendorCategories), ...Object.values(vendors)];
  say(policy, dcterms.hasVersion, literal(String(version)));
  say(policy, dcterms.issued, moment(Math.max(...standings.map(({ confirmed }) => confirmed))));

  const sayLevel = (node: Subject, { level, confirmed }: Standing): void => {
    say(node, rdf.type, namedNode(fh.OptInLevel));
    say(node, fh.levelNumber, typed(String(level), xsd.integer));
    say(node, odrl.hasPolicy, policy);
    const terms = LEVELS[level]?.terms;
    if (terms) say(node, fh.terms, namedNode(terms));
    say(node, fh.confirmedByOwner, moment(confirmed));
  };
  sayLevel(namedNode(`${url}#everybody`), everybody);
  for (const [name, standing] of Object.entries(vendorCategories)) {
    const node = blankNode();
    sayLevel(node, standing);
    say(node, fh.vendorCategory, literal(name));
  }
  for (const [webid, standing] of Object.entries(vendors)) {
    const node = blankNode();
    sayLevel(node, standing);
    say(node, odrl.assignee, namedNode(webid));
  }

  if (campaigns.channels.length > 0) {
    // Who named no channel takes part in nothing: there is nothing to say of when or where. Of several quiet hours each
    // has a node, for times of day of two would not be told apart.
    const hours = campaigns.quiet.length > 0 ? campaigns.quiet : [null];
    for (const [index, quiet] of hours.entries()) {
      const node = namedNode(`${url}#campaigns${index === 0 ? "" : `-${index + 1}`}`);
      say(node, rdf.type, namedNode(fh.CommunicationPreference));
      for (const channel of campaigns.channels) say(node, fh.channel, literal(channel));
      for (const place of campaigns.places ?? []) say(node, fh.place, literal(place));
      for (const topic of campaigns.topics ?? []) say(node, fh.topic, namedNode(topic));
      if (quiet) {
        say(node, fh.quietFrom, typed(`${quiet.from}:00`, xsd.time));
        say(node, fh.quietUntil, typed(`${quiet.until}:00`, xsd.time));
      }
      if (campaigns.maxPerWeek !== null)
        say(node, fh.maxPerWeek, typed(String(campaigns.maxPerWeek), xsd.integer));
      say(node, fh.confirmedByOwner, moment(campaigns.confirmed));
    }
  }
  return quads;
}
