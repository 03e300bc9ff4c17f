/** The record of one import: how many, what was left out, and what it wrote, so that it can be taken back. */
import { shapeNamed } from "@freehold/shapes";
import { fh, prov, schema } from "@freehold/vocab";
import type { Quad } from "../rdf/terms.ts";
import { oneLine, stableHash } from "./clean.ts";
import { dateTime, describe, integer, ref, text } from "./frame.ts";
import type { Context, Recipe, Remark, SourceKind } from "./reading.ts";

export const RUN_SHAPE: string = shapeNamed("ImportRun").iri;

export interface ImportRun {
  readonly kind: SourceKind;
  readonly version: number;
  readonly name: string;
  /** Inside the pod, such as `imports/20261122T101500Z-4fa2c1.ttl`. */
  readonly path: string;
  readonly iri: string;
  readonly started: Date;
  /** SHA-256 in hexadecimal of all that was read. */
  fileHash: string;
  bytes: number;
  /** `read` = `written` + `skipped` + `duplicate`. */
  read: number;
  written: number;
  skipped: number;
  duplicate: number;
  /** Documents made or added to. */
  documents: number;
  /** Addresses of the documents it made; not of those it added to. */
  readonly listed: string[];
  readonly warnings: Remark[];
  warningsLeftOut: number;
}

/** @param head Tells apart two files of the same moment; parts of a second do so for one file twice. */
export function startRun(
  { kind, version }: Recipe,
  name: string,
  started: Date,
  head: string,
  context: Context,
): ImportRun {
  const moment = `${started.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  const path = `imports/${moment}-${stableHash(context.secret, ["import", kind, started.toISOString(), head], 6)}.ttl`;
  return {
    kind,
    version,
    name: oneLine(name, 200) ?? kind,
    path,
    iri: `${context.urlOf(path)}#it`,
    started,
    fileHash: "",
    bytes: 0,
    read: 0,
    written: 0,
    skipped: 0,
    duplicate: 0,
    documents: 0,
    listed: [],
    warnings: [],
    warningsLeftOut: 0,
  };
}

export function runQuads(run: ImportRun): readonly Quad[] {
  const said = ({ line, detail }: Remark): string => (line > 0 ? `line ${line}: ${detail}` : detail);
  const more = run.warningsLeftOut > 0 ? [`${run.warningsLeftOut} more remarks`] : [];
  return describe(run.iri, [fh.ImportRun], {
    [schema.name]: text(run.name),
    [fh.sourceKind]: text(run.kind),
    [fh.fileHash]: text(run.fileHash),
    [fh.recipeVersion]: integer(run.version),
    [prov.startedAtTime]: dateTime(run.started.toISOString()),
    [fh.recordsRead]: integer(run.read),
    [fh.recordsWritten]: integer(run.written),
    [fh.recordsSkipped]: integer(run.skipped),
    [fh.recordsDuplicate]: integer(run.duplicate),
    [fh.warning]: [...run.warnings.map(said), ...more].map(text),
    [prov.generated]: run.listed.map(ref),
  });
}
