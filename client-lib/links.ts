/** `Link` header fields. https://www.rfc-editor.org/rfc/rfc8288 */
export interface Link {
  readonly href: string;
  readonly rels: readonly string[];
}

const LINK = /<([^>]*)>\s*((?:;\s*[a-zA-Z0-9*_-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*)\s*)*)/g;

/** @param base What relative references are relative to. Those that are no addresses are left out. */
export function parseLinks(header: string | null, base: string): readonly Link[] {
  return [...(header ?? "").matchAll(LINK)].flatMap(([, reference = "", parameters = ""]) => {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/i.exec(parameters);
    if (!URL.canParse(reference, base)) return [];
    return [
      {
        href: new URL(reference, base).href,
        rels: (rel?.[1] ?? rel?.[2] ?? "").split(/\s+/).filter(Boolean),
      },
    ];
  });
}

export const linkTo = (links: readonly Link[], rel: string): string | null =>
  links.find(({ rels }) => rels.includes(rel))?.href ?? null;
