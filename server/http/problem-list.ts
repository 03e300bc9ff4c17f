/**
 * What the `type` of every problem document leads to: all problems there are, and each by itself, as pages for people and as
 * JSON for programs. https://www.rfc-editor.org/rfc/rfc9457#section-3.1.1
 */
import { Problem } from "../errors.ts";
import { escapeHtml } from "../html.ts";
import { didYouMean } from "../nearest.ts";
import type { Door, DoorRequest, Result } from "../operation.ts";
import { PROBLEMS } from "../problems.ts";
import { negotiate } from "../rdf/media.ts";
import { PUBLIC_CACHE, sheet } from "./reference/sheet.ts";

const TYPES = ["application/json", "text/html"] as const;

/** What a status says of any request. https://www.rfc-editor.org/rfc/rfc9110#section-15 */
const MEANINGS: Readonly<Record<number, string>> = {
  400: "The server did not understand the request; sent again as it is, it will be refused again.",
  401: "It is not known who asks. Whoever logs in may be let in, or refused for another reason.",
  403: "Who asks is known, and may not do this; logging in again changes nothing.",
  404: "There is nothing here, or nothing that whoever asks may know of.",
  405: "What is here does not do this; Allow says what it does.",
  406: "The server has it, but in none of the formats that were asked for.",
  408: "The request took too long to arrive.",
  409: "As things stand here now, it cannot be done; something has to change first.",
  410: "What was here is gone for good.",
  411: "The server must know beforehand how long the content is.",
  412: "Somebody changed it since it was last read, so nothing was written.",
  413: "The request is larger than the server takes.",
  414: "The address is longer than the server takes.",
  415: "The content is in a format that is not taken here.",
  416: "The part that was asked for is not there.",
  421: "The request came to a server that it is not for.",
  422: "The request was understood, and what it says breaks a rule; errors[] names each place.",
  423: "It is being changed by somebody else at this moment.",
  428: "The request must say which version it means to change.",
  429: "So much was asked in a short time that the rest has to wait; Retry-After says how long.",
  431: "The header of the request is larger than the server takes.",
  451: "An authority has ordered that this is not shown.",
  500: "The server made a mistake; the request may be right.",
  501: "The server does not know how to do this.",
  502: "Another server that was needed gave no good answer.",
  503: "The server cannot do this just now; later it may.",
  504: "Another server that was needed did not answer in time.",
  507: "There is no room left for it.",
};

const GENERAL = {
  4: "The request was refused, and nothing was changed.",
  5: "The server could not do it.",
} as const;

/** What it means, beyond what happened. */
const meaningOf = (status: number): string =>
  MEANINGS[status] ?? GENERAL[Math.floor(status / 100) as keyof typeof GENERAL] ?? GENERAL[4];

const rowOf = (
  problemBase: string,
  code: string,
  { status, title, next }: (typeof PROBLEMS)[keyof typeof PROBLEMS],
) => ({
  type: `${problemBase}${code}`,
  code,
  status,
  title,
  means: meaningOf(status),
  next,
  page: `${problemBase.replace(/#$/, "")}/${code}`,
});
type Row = ReturnType<typeof rowOf>;

/** @throws Problem `not-acceptable`. */
function chosen({ headers }: DoorRequest, title: string, html: () => string, value: object): Result {
  const type = negotiate(headers.accept, TYPES);
  if (type === null) throw new Problem("not-acceptable", `Available: ${TYPES.join(", ")}`);
  const result: Result =
    type === "text/html"
      ? sheet(title, html())
      : {
          status: 200,
          headers: {
            "content-type": type,
            "cache-control": PUBLIC_CACHE,
            "x-content-type-options": "nosniff",
          },
          body: JSON.stringify(value),
        };
  return { ...result, headers: { ...result.headers, vary: "Accept" } };
}

const about = ({ code, status, means, next }: Row): string =>
  `<p><code>${status} ${code}</code></p><p>${escapeHtml(means)}</p><p><strong>What to do.</strong> ${escapeHtml(next)}</p>`;

export interface ProblemDoor {
  readonly verb: "get";
  readonly path: string;
  readonly door: Door;
}

/**
 * `GET /ns/problems` and `/ns/problems/{code}`: for everybody, the same for everybody.
 * @param problemBase What a problem's `type` begins with; ends in `#`.
 */
export function problemDoors(problemBase: string): readonly ProblemDoor[] {
  const problems = Object.entries(PROBLEMS).map(([code, kind]) => rowOf(problemBase, code, kind));
  const list: Door = async (request) =>
    chosen(
      request,
      "When a request is refused",
      () =>
        problems
          .map(
            (row) =>
              `<article id="${row.code}"><h3><a href="${escapeHtml(`/ns/problems/${row.code}`)}">${escapeHtml(row.title)}</a></h3>${about(row)}</article>`,
          )
          .join(""),
      { problems },
    );
  const one: Door = async (request) => {
    const code = request.params["code"] ?? "";
    const row = problems.find((problem) => problem.code === code);
    if (!row)
      throw new Problem("not-found", `There is no such problem.${didYouMean(code, Object.keys(PROBLEMS))}`);
    const html = () =>
      `${about(row)}<p class="soft">In answers: <code>"type": "${escapeHtml(row.type)}"</code></p><p><a href="/ns/problems">All refusals</a></p>`;
    return chosen(request, row.title, html, row);
  };
  return [
    { verb: "get", path: "/ns/problems", door: list },
    { verb: "get", path: "/ns/problems/:code", door: one },
  ];
}
