/** The doors of the reference itself: for everybody, the same for everybody. */
import type { Door, Result } from "../../operation.ts";
import { llmsText } from "./llms.ts";
import { openApi, type Served } from "./openapi.ts";
import { referencePage } from "./page.ts";
import { PUBLIC_CACHE } from "./sheet.ts";

interface ReferenceDoor {
  readonly verb: "get";
  readonly path: string;
  readonly door: Door;
}

const HEADERS = { "cache-control": PUBLIC_CACHE, "x-content-type-options": "nosniff" } as const;

/** @param served Asked for at the first request, when all doors are known. */
export function referenceDoors(served: () => Served): readonly ReferenceDoor[] {
  const once = (make: (served: Served) => Result): Door => {
    let made: Result | null = null;
    return async () => (made ??= make(served()));
  };
  const document = once((all) => ({
    status: 200,
    headers: { ...HEADERS, "content-type": "application/json" },
    body: JSON.stringify(openApi(all)),
  }));
  const map = once((all) => ({
    status: 200,
    headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" },
    body: llmsText(all),
  }));
  return [
    { verb: "get", path: "/.openapi.json", door: document },
    { verb: "get", path: "/.api", door: once(referencePage) },
    { verb: "get", path: "/llms.txt", door: map },
  ];
}
