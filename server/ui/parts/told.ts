/** Long work of the server, followed line by line. */
import { offline, Refusal, refusalOf } from "./ask.ts";

/** How far it is; `total` where it is known. */
export interface Progress {
  readonly done?: number;
  readonly total?: number | null;
}

type Line<T> =
  | { readonly progress: Progress }
  | { readonly result: T }
  | {
      readonly problem: {
        readonly code: string;
        readonly title: string;
        readonly detail?: string;
        readonly next: string;
      };
    };

/** @throws Refusal for every answer that is a no. */
export async function answerOf(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: "same-origin", ...init }).catch(() => {
    throw offline();
  });
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/**
 * @param next What to do when the answer breaks off in the middle.
 * @throws Refusal when the last line says no.
 */
export async function follow<T>(
  response: Response,
  told: (progress: Progress) => void,
  next: string,
): Promise<T> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines.filter(Boolean)) {
      const line = JSON.parse(text) as Line<T>;
      if ("result" in line) return line.result;
      if ("problem" in line) {
        const { code, title, detail = "", next: advice } = line.problem;
        throw new Refusal(code, title, detail, advice);
      }
      told(line.progress);
    }
  }
  throw new Refusal("cut", "The server stopped in the middle", "", next);
}
