/** `<fh-home>`: the owner's pages. One address, five rooms, named in the fragment: `#/data/photos/`. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { Part, state } from "./element.ts";
import { framed } from "./frame.ts";
import { type IconName, icon, mark } from "./icons.ts";
import { setUpHint } from "./login.ts";
import type { Me, Overview, State } from "./model.ts";
import { refusalBox, waiting } from "./notices.ts";
import "./access.ts";
import "./data.ts";
import "./overview.ts";
import "./prove.ts";
import "./safety.ts";
import "./share.ts";
import "./sign-in.ts";
import "./trash.ts";
import "./you.ts";
import { initialOf } from "./words.ts";

const ROOMS: readonly (readonly [room: string, title: string, icon: IconName])[] = [
  ["home", "Home", "home"],
  ["data", "Data", "folder"],
  ["access", "Access", "people"],
  ["you", "You", "card"],
  ["safety", "Safety", "shield"],
];

/** Rooms behind others: where one gets to, and under which of the rooms above. */
const BACK_ROOMS: Readonly<Record<string, string>> = { trash: "data" };

interface Place {
  readonly room: string;
  /** What follows the room: a path within the pod. */
  readonly rest: string;
}

function placeNow(): Place {
  const [, room = "", rest = ""] = /^#\/([a-z]*)(?:\/(.*))?$/.exec(location.hash) ?? [];
  const isKnown = room in BACK_ROOMS || ROOMS.some(([known]) => known === room);
  return { room: isKnown ? room : "home", rest };
}

class Home extends Part {
  static override properties = state("server", "overview", "place", "refusal", "welcome");
  declare server: State | null;
  declare overview: Overview | null;
  declare place: Place;
  declare refusal: Refusal | null;
  declare welcome: boolean;
  readonly #moved = (): void => {
    this.place = placeNow();
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  };

  constructor() {
    super();
    this.server = null;
    this.overview = null;
    this.refusal = null;
    this.welcome = location.hash === "#/welcome";
    this.place = placeNow();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("hashchange", this.#moved);
    this.addEventListener("changed", () => void this.#load());
    this.addEventListener("signed-in", () => void this.#load());
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this.#moved);
  }

  async #load(): Promise<void> {
    try {
      const server = await ask<State>("GET", "/.account/state");
      this.overview = server.account ? await ask<Overview>("GET", "/.account/overview") : null;
      this.server = server;
      this.refusal = null;
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #signOut(): Promise<void> {
    try {
      await ask("POST", "/.account/logout", {});
      location.replace("/");
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  protected override render(): TemplateResult {
    const { server, overview } = this;
    if (!server)
      return framed(
        this.refusal
          ? html`${refusalBox(this.refusal)}<button class="second wide" @click=${() => this.#load()}>Try again</button>`
          : waiting("Opening …"),
      );
    if (!server.account || !overview) return this.#outside(server);
    return html`
      <header class="top">
        <a class="brand" href="#/home">${mark()}<span>Freehold</span></a>
        <nav aria-label="Rooms">
          ${ROOMS.map(([room, title, picture]) => html`<a href=${`#/${room}`} aria-current=${room === (BACK_ROOMS[this.place.room] ?? this.place.room) ? "page" : "false"}>${icon(picture)}<span>${title}</span></a>`)}
        </nav>
        <div class="who">
          <a class="avatar" href="#/you" aria-label=${`You: ${server.account.name}`}>${initialOf(server.account.name)}</a>
          <button class="icon-only" aria-label="Sign out" title="Sign out" @click=${() => this.#signOut()}>${icon("out")}</button>
        </div>
      </header>
      <main class="room" tabindex="-1">
        ${refusalBox(this.refusal)}
        ${this.#room(server.account, overview, server)}
      </main>
      <fh-share .entries=${overview.entries} .items=${overview.items} .pod=${server.account.pod}></fh-share>
      <fh-prove .me=${server.account} .passkeys=${server.passkeys}></fh-prove>
      <fh-toast></fh-toast>
    `;
  }

  #outside(server: State): TemplateResult {
    return framed(html`
      <h1>${server.setUpNeeded ? "Almost there" : "Welcome"}</h1>
      ${
        server.setUpNeeded
          ? setUpHint()
          : html`<p class="soft">Sign in to your pod on <strong>${new URL(server.baseUrl).host}</strong>.</p>
            <fh-sign-in .passkeys=${server.passkeys}></fh-sign-in>
            ${server.signUp === "open" ? html`<p class="center"><a href="/.account/setup">Open a new pod here</a></p>` : nothing}`
      }
    `);
  }

  #room(me: Me, overview: Overview, server: State): TemplateResult {
    const { room, rest } = this.place;
    if (room === "data")
      return html`<fh-data .pod=${me.pod} .rest=${rest} .entries=${overview.entries}></fh-data>`;
    if (room === "trash") return html`<fh-trash></fh-trash>`;
    if (room === "access") return html`<fh-access .overview=${overview} .me=${me}></fh-access>`;
    if (room === "you") return html`<fh-you .me=${me}></fh-you>`;
    if (room === "safety") return html`<fh-safety .me=${me} .server=${server}></fh-safety>`;
    return html`<fh-overview .me=${me} .overview=${overview} .welcome=${this.welcome}></fh-overview>`;
  }
}
customElements.define("fh-home", Home);
