/** `<fh-login>`: the page to sign in, for those who come from elsewhere; goes on to `?next=` within this server. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./parts/ask.ts";
import { Part, state } from "./parts/element.ts";
import { framed } from "./parts/frame.ts";
import type { State } from "./parts/model.ts";
import { refusalBox, waiting } from "./parts/notices.ts";
import "./parts/sign-in.ts";

/** Only a path of this very server: a link to this page must not lead on to anybody else's. */
function nextPlace(): string {
  const asked = new URLSearchParams(location.search).get("next") ?? "/";
  const url = URL.canParse(asked, location.origin) ? new URL(asked, location.origin) : null;
  return url?.origin === location.origin &&
    /^\/(?:$|[#?]|\.account\/consent\b)/.test(`${url.pathname}${url.search}`)
    ? `${url.pathname}${url.search}`
    : "/";
}

class Login extends Part {
  static override properties = state("server", "refusal");
  declare server: State | null;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.server = null;
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    ask<State>("GET", "/.account/state").then(
      (server) => {
        if (server.account) location.replace(nextPlace());
        else this.server = server;
      },
      (error: unknown) => (this.refusal = toRefusal(error)),
    );
  }

  protected override render(): TemplateResult {
    if (!this.server) return framed(this.refusal ? html`${refusalBox(this.refusal)}` : waiting("Opening …"));
    return framed(html`
      <h1>Welcome back</h1>
      <p class="soft">Sign in to your pod on <strong>${new URL(this.server.baseUrl).host}</strong>.</p>
      ${this.server.setUpNeeded ? setUpHint() : nothing}
      <fh-sign-in .passkeys=${this.server.passkeys} @signed-in=${() => location.replace(nextPlace())}></fh-sign-in>
    `);
  }
}
customElements.define("fh-login", Login);

/** For the very first visitor, who has no account yet. */
export function setUpHint(): TemplateResult {
  return html`<div class="notice">
    <div><strong>No pod has been set up here yet.</strong> The window in which you started the server shows a link that opens the set-up. It works once, for 30 minutes; start the server again for a new one.</div>
  </div>`;
}
