/** `<fh-vendor>`: the page for companies: ask people for access, see what was granted, query, and keep the receipts. */
import { html, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./parts/ask.ts";
import { Part, state } from "./parts/element.ts";
import { framed } from "./parts/frame.ts";
import { type IconName, icon, mark } from "./parts/icons.ts";
import type { Me, State } from "./parts/model.ts";
import { refusalBox, waiting } from "./parts/notices.ts";
import "./parts/sign-in.ts";
import { initialOf } from "./parts/words.ts";
import type { Desk } from "./vendor/desk.ts";

const ROOMS: readonly (readonly [name: string, title: string, icon: IconName])[] = [
  ["requests", "Requests", "search"],
  ["grants", "Grants", "check"],
  ["key", "Key", "key"],
];

interface Place {
  readonly room: string;
  /** Address of a grant, where one is open. */
  readonly rest: string;
}

/** Nothing, for what somebody broke on the way here. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function placeNow(): Place {
  const [, room = "", rest = ""] = /^#\/([a-z]*)(?:\/(.*))?$/.exec(location.hash) ?? [];
  return { room: ROOMS.some(([name]) => name === room) ? room : "requests", rest: decoded(rest) };
}

class Vendor extends Part {
  static override properties = state("server", "desk", "place", "refusal");
  declare server: State | null;
  declare desk: Desk | null;
  declare place: Place;
  declare refusal: Refusal | null;
  readonly #moved = (): void => {
    this.place = placeNow();
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  };

  constructor() {
    super();
    this.server = null;
    this.desk = null;
    this.refusal = null;
    this.place = placeNow();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("hashchange", this.#moved);
    this.addEventListener("signed-in", () => void this.#load());
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this.#moved);
  }

  async #load(): Promise<void> {
    this.refusal = null;
    try {
      const server = await ask<State>("GET", "/.account/state");
      if (server.account) this.desk = await this.#openDesk(server.account, server);
      this.server = server;
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #openDesk({ address, pod }: Me, { baseUrl }: State): Promise<Desk> {
    const [{ openDesk }] = await Promise.all([
      import("./vendor/desk.ts"),
      import("./vendor/requests.ts"),
      import("./vendor/grants.ts"),
      import("./vendor/key.ts"),
    ]);
    return openDesk(address, `${baseUrl}${pod}/`);
  }

  protected override render(): TemplateResult {
    const { server, desk, place } = this;
    if (!server)
      return framed(
        this.refusal
          ? html`<h1>For companies</h1>${refusalBox(this.refusal)}<button class="second wide" @click=${() => this.#load()}>Try again</button>`
          : html`<h1>For companies</h1>${waiting("Opening …")}`,
      );
    if (!server.account || !desk)
      return framed(html`<h1>For companies</h1>
        <p class="soft">Ask people for what you need, see what they gave, and prove what you did with it. Sign in with the pod that speaks for your company.</p>
        <fh-sign-in .passkeys=${server.passkeys}></fh-sign-in>`);
    return html`
      <header class="top">
        <a class="brand" href="/">${mark()}<span>Freehold</span></a>
        <nav class="three" aria-label="For companies">
          ${ROOMS.map(([name, title, picture]) => html`<a href=${`#/${name}`} aria-current=${place.room === name ? "page" : "false"}>${icon(picture)}<span>${title}</span></a>`)}
        </nav>
        <div class="who"><a class="avatar" href="/" aria-label=${`Your pod: ${server.account.name}`}>${initialOf(server.account.name)}</a></div>
      </header>
      <main class="room" tabindex="-1">${this.#room(desk)}</main>
      <fh-toast></fh-toast>
    `;
  }

  #room(desk: Desk): TemplateResult {
    const { room, rest } = this.place;
    if (room === "key") return html`<fh-vendor-key .desk=${desk}></fh-vendor-key>`;
    if (room === "grants" && rest !== "")
      return html`<fh-vendor-grant .desk=${desk} .address=${rest}></fh-vendor-grant>`;
    if (room === "grants") return html`<fh-vendor-grants .desk=${desk}></fh-vendor-grants>`;
    return html`<fh-vendor-requests .desk=${desk}></fh-vendor-requests>`;
  }
}
customElements.define("fh-vendor", Vendor);
