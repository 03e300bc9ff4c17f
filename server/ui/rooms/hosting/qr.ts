/** An address as a picture for a telephone's camera. */
import { html, type TemplateResult } from "lit";

const QUIET = 2; // Modules of white around it, or cameras do not find it.

export async function qrOf(text: string, label: string): Promise<TemplateResult> {
  const { encode } = await import("uqr");
  const { data, size } = encode(text, { border: QUIET });
  const path = data
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : [])))
    .join("");
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label=${label}>
    <rect width=${size} height=${size} /><path d=${path} />
  </svg>`;
}
