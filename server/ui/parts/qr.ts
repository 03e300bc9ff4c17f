/** `<fh-qr>`: a text as a square code for a camera. What it says stands beside it in letters, wherever it is shown. */
import { html, svg, type TemplateResult } from "lit";
import { given, Part, state } from "./element.ts";

const BORDER = 2; // Modules; the card around it is white as well.

class Code extends Part {
  static override properties = { ...given("value", "label"), ...state("matrix") };
  declare value: string;
  /** What a camera gets from it, in words. */
  declare label: string;
  declare matrix: readonly (readonly boolean[])[];
  #drawn = "";

  constructor() {
    super();
    this.value = "";
    this.label = "";
    this.matrix = [];
  }

  override updated(): void {
    if (this.value === this.#drawn) return;
    this.#drawn = this.value;
    const { value } = this;
    // Only pages that show a code need what draws it.
    void import("uqr").then(({ encode }) => {
      if (this.value === value) this.matrix = encode(value, { ecc: "M", border: BORDER }).data;
    });
  }

  protected override render(): TemplateResult {
    const size = Math.max(1, this.matrix.length);
    const path = this.matrix
      .map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")).join(""))
      .join("");
    return html`<svg class="qr" viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${this.label} shape-rendering="crispEdges">
      ${svg`<rect width=${size} height=${size} fill="#fff" /><path d=${path} fill="#10231a" />`}
    </svg>`;
  }
}
customElements.define("fh-qr", Code);
