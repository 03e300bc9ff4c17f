/** The picture on the first page: a house on its own ground, whose gate is open when somebody has been let in. */
import { html, svg, type TemplateResult } from "lit";

const posts = Array.from({ length: 23 }, (_, place) => 14 + place * 24).filter((x) => x < 244 || x > 312);

/** @param open Whether anybody else can see anything. */
export function scene(open: boolean): TemplateResult {
  return html`<svg class="scene" viewBox="0 0 560 250" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
    <circle class="sun" cx="396" cy="62" r="31" />
    <path class="far" d="M0 158c70-46 130-58 196-30 60 25 118 18 176-8 70-31 128-18 188 14v116H0z" />
    <path class="near" d="M0 196c96-40 196-46 292-26 100 21 186 14 268-14v94H0z" />
    <g class="tree">
      <path d="M150 186v-34" />
      <path class="leaves" d="M150 96c17 0 28 13 28 30s-12 29-28 29-28-12-28-29 11-30 28-30Z" />
    </g>
    <g class="tree">
      <path d="M424 184v-24" />
      <path class="leaves" d="M424 122c12 0 20 10 20 21s-8 20-20 20-20-9-20-20 8-21 20-21Z" />
    </g>
    <path class="path" d="M266 250c-2-34 6-56 8-76h16c0 20 12 42 16 76z" />
    <path class="wall" d="M222 108h120v72H222z" />
    <path class="chimney" d="M318 66h17v40h-17z" />
    <path class="roof" d="M206 114 282 62l76 52z" />
    <path class="door" d="M270 142h24v38h-24z" />
    <path class="window" d="M236 124h20v22h-20zM308 124h20v22h-20z" />
    <path class="bars" d="M246 124v22M236 135h20M318 124v22M308 135h20" />
    <g class="fence">
      <path d="M0 216h250M312 216h248M0 232h250M312 232h248" />
      ${posts.map((x) => svg`<path d=${`M${x} 246v-40`} />`)}
      <path class="post" d="M252 250v-54M310 250v-54" />
      ${
        open
          ? svg`<path class="gate" d="M252 206l-26-6v42l26 4M310 206l26-6v42l-26 4" />`
          : svg`<path class="gate" d="M254 208h54M254 240h54M281 208v32M254 240l27-32M308 240l-27-32" />`
      }
    </g>
  </svg>`;
}
