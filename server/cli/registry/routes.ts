/** Which door an address leads to. Addresses are compared as they come: nothing is decoded before a door is found. */
import { Problem } from "../../errors.ts";
import type { RegistryDoor } from "../../registry/doors/door.ts";

interface Route {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly doors: readonly RegistryDoor[];
  /** For `Allow`. */
  readonly allow: string;
}

export interface FoundRoute extends Pick<Route, "doors" | "allow"> {
  /** @throws Problem `path-invalid` for what is not percent-encoded UTF-8. */
  params(): Readonly<Record<string, string>>;
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** `:name` is one segment, and `{*name}` all that follow. */
function routeOf(path: string, doors: readonly RegistryDoor[]): Route {
  const names: string[] = [];
  const pattern = path
    .split("/")
    .map((segment) => {
      const name = /^(?::(\w+)|\{\*(\w+)\})$/.exec(segment);
      if (!name) return quoted(segment);
      names.push(name[1] ?? name[2] ?? "");
      return name[1] === undefined ? "(.*)" : "([^/]+)";
    })
    .join("/");
  const verbs = new Set(doors.map(({ verb }) => verb.toUpperCase()));
  const allow = ["OPTIONS", ...(verbs.has("GET") ? ["HEAD"] : []), ...verbs].join(", ");
  return { pattern: new RegExp(`^${pattern}$`), names, doors, allow };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new Problem("path-invalid", undefined, { cause });
  }
}

/** Of several that fit, the one that is written first. */
export function createRoutes(doors: readonly RegistryDoor[]): {
  find(pathname: string): FoundRoute | null;
} {
  const byPath = Map.groupBy(doors, ({ path }) => path);
  const routes = [...byPath].map(([path, here]) => routeOf(path, here));
  return {
    find(pathname) {
      for (const { pattern, names, doors: here, allow } of routes) {
        const found = pattern.exec(pathname);
        if (!found) continue;
        return {
          doors: here,
          allow,
          params: () =>
            Object.fromEntries(names.map((name, at) => [name, decoded(found[at + 1] ?? "")] as const)),
        };
      }
      return null;
    },
  };
}
