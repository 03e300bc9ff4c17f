/** The update operation of the SPARQL 1.1 Protocol. https://www.w3.org/TR/sparql11-protocol/#update-operation */
import { readBody } from "../../body.ts";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Operation } from "../../operation.ts";
import { mediaTypeOf } from "../../rdf/media.ts";
import { decodeText, FORM, oneOf, parseParameters } from "../protocol.ts";
import type { Update } from "../sparql/algebra.ts";
import { parseUpdate } from "../sparql/update.ts";

export interface UpdateRequest {
  readonly text: string;
  readonly update: Update;
}

const DIRECT = "application/sparql-update";

/** What the request's parameters say of the dataset stands for every WHERE, and nothing in the text may say otherwise. */
function withUsing(update: Update, parameters: URLSearchParams): Update {
  const using = {
    defaults: parameters.getAll("using-graph-uri"),
    named: parameters.getAll("using-named-graph-uri"),
  };
  if (using.defaults.length + using.named.length === 0) return update;
  const operations = update.operations.map((operation) => {
    if (operation.kind !== "modify") return operation;
    if (operation.using !== null || operation.with !== null)
      throw new Problem(
        "bad-request",
        "The dataset is in the address, and in the update too (USING or WITH)",
      );
    return { ...operation, using };
  });
  return { ...update, operations };
}

/**
 * @throws Problem `bad-request`, `unsupported-media-type`, `content-type-missing`, `body-too-large`, `query-invalid`,
 *   `query-refused`.
 */
export async function parseUpdateRequest(operation: Operation, limits: Limits): Promise<UpdateRequest> {
  const inUrl = parseParameters(operation.query);
  const contentType = operation.headers["content-type"];
  if (contentType === undefined) throw new Problem("content-type-missing");
  const type = mediaTypeOf(contentType);
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8";
  if (type !== FORM && type !== DIRECT)
    throw new Problem("unsupported-media-type", `Send ${DIRECT} or ${FORM}`);
  if (charset !== "utf-8" && charset !== "us-ascii")
    throw new Problem("unsupported-media-type", "An update is sent in UTF-8");
  // Every byte of the text may have been escaped as three, and addresses of graphs come on top.
  const bytesMax = type === FORM ? limits.patchBytesMax * 4 : limits.patchBytesMax;
  const content = decodeText(await readBody(operation.body, bytesMax), "The update");
  const inContent = type === FORM ? parseParameters(content) : null;
  if (inUrl.has("query") || inUrl.has("update") || inContent?.has("query"))
    throw new Problem("bad-request", "An update is sent in the content, and nothing but an update");
  const text = inContent ? oneOf(inContent, "update") : content;
  if (text === null) throw new Problem("bad-request", "The update is missing");
  if (!text.isWellFormed()) throw new Problem("bad-request", "The update is not UTF-8");
  const update = parseUpdate(text, { baseIri: operation.url, limits });
  const parameters = new URLSearchParams([...inUrl, ...(inContent ?? [])]);
  return { text, update: withUsing(update, parameters) };
}
