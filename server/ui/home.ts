/** `<fh-home>`: the owner's pages. One address, many rooms, named in the fragment: `#/data/photos/`. */
import { html, nothing, type TemplateResult } from "lit";
import { setUpHint } from "./login.ts";
import { showLight } from "./parts/appearance.ts";
import { ask, type Refusal, toRefusal } from "./parts/ask.ts";
import { Part, state } from "./parts/element.ts";
import { framed } from "./parts/frame.ts";
import { icon, mark } from "./parts/icons.ts";
import type { Me, Overview, State } from "./parts/model.ts";
import { refusalBox, waiting } from "./parts/notices.ts";
import "./parts/prove.ts";
import "./parts/share.ts";
import "./parts/sign-in.ts";
import { initialOf } from "./parts/words.ts";
import { PAGES, PARTS, ROOMS, type Room } from "./rooms/rooms.ts";

/** The list of all rooms: the one that is always there. */
const MORE = "more";

interface Place {
  /** Null is the list of all rooms. */
  readonly room: Room | null;
  /** What follows the room: a path within the pod, or whatever the room makes of it. */
  readonly rest: string;
}

/** What every room is given. */
interface RoomElement extends HTMLElement {
  me: Me;
  server: State;
  overview: Overview;
  rest: string;
}

const START = ROOMS[0] as Room;

function placeNow(): Place {
  const [, name = "", rest = ""] = /^#\/([a-z]*)(?:\/(.*))?$/.exec(location.hash) ?? [];
  return { room: name === MORE ? null : (ROOMS.find((room) => room.name === name) ?? START), rest };
}

/** Resolves when the sheet holds, so that a room is never seen without it. */
function addSheet({ name }: Room): Promise<void> {
  const href = `/.ui/server/ui/rooms/${name}/${name}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  const loaded = new Promise<void>((resolve, reject) => {
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => {
      link.remove();
      reject(new TypeError(`${href} could not be fetched`));
    });
  });
  document.head.append(link);
  return loaded;
}

class Home extends Part {
  static override properties = state("server", "overview", "place", "refusal", "open");
  declare server: State | null;
  declare overview: Overview | null;
  declare place: Place;
  declare refusal: Refusal | null;
  /** The room whose code is here. */
  declare open: { readonly room: Room; readonly element: RoomElement } | null;
  readonly #moved = (): void => {
    this.place = placeNow();
    void this.#enter();
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  };

  constructor() {
    super();
    this.server = null;
    this.overview = null;
    this.refusal = null;
    this.open = null;
    this.place = placeNow();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("hashchange", this.#moved);
    this.addEventListener("changed", () => void this.#load());
    this.addEventListener("signed-in", () => void this.#load());
    void this.#enter();
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

  /** Fetches the room, if it is not the one that is open. */
  async #enter(): Promise<void> {
    const { room } = this.place;
    if (!room || this.open?.room === room) return;
    try {
      await Promise.all([room.load(), room.styled ? addSheet(room) : null]);
      if (this.place.room !== room) return; // They went elsewhere meanwhile.
      this.open = { room, element: document.createElement(room.element) as RoomElement };
      this.refusal = null;
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #again(): Promise<void> {
    await Promise.all([this.#enter(), this.#load()]);
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
          ? html`${refusalBox(this.refusal)}<button class="second wide" @click=${() => this.#again()}>Try again</button>`
          : waiting("Opening …"),
      );
    if (!server.account || !overview) return this.#outside(server);
    return html`
      <a class="skip" href="#content" @click=${this.#skip}>Go to the content</a>
      <header class="top">
        <a class="brand" href="#/home">${mark()}<span>Freehold</span></a>
        <nav aria-label="Rooms">
          ${ROOMS.filter(({ part }) => part === "main").map((room) => this.#link(room))}
          <a href=${`#/${MORE}`} aria-current=${this.#isMore() ? "page" : "false"}>${icon("more")}<span>More</span></a>
        </nav>
        <div class="who">
          <a class="avatar" href="#/passport" aria-label=${`You: ${server.account.name}`}>${initialOf(server.account.name)}</a>
          <button class="icon-only" aria-label="Sign out" title="Sign out" @click=${() => this.#signOut()}>${icon("out")}</button>
        </div>
      </header>
      <main class="room" id="content" tabindex="-1">
        ${refusalBox(this.refusal)}
        ${this.refusal && !this.#isOpen() ? html`<button class="second wide" @click=${() => this.#again()}>Try again</button>` : nothing}
        ${this.#room(server.account, overview, server)}
      </main>
      <fh-share .entries=${overview.entries} .items=${overview.items} .pod=${server.account.pod}></fh-share>
      <fh-prove .me=${server.account} .passkeys=${server.passkeys}></fh-prove>
      <fh-toast></fh-toast>
    `;
  }

  /** The address is the room's: a fragment of its own would lead out of it. */
  readonly #skip = (event: Event): void => {
    event.preventDefault();
    this.querySelector<HTMLElement>("main")?.focus();
  };

  #isOpen(): boolean {
    return this.place.room === null || this.open?.room === this.place.room;
  }

  #isMore(): boolean {
    return this.place.room === null || this.#mainOf(this.place.room).part !== "main";
  }

  #mainOf(room: Room): Room {
    return ROOMS.find(({ name }) => name === room.behind) ?? room;
  }

  #link(room: Room): TemplateResult {
    const isHere = this.place.room !== null && this.#mainOf(this.place.room) === room;
    return html`<a href=${`#/${room.name}`} aria-current=${isHere ? "page" : "false"}>${icon(room.icon)}<span>${room.title}</span></a>`;
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
    if (!room) return this.#list(me);
    const { open } = this;
    if (open?.room !== room) return this.refusal ? html`` : waiting(`Opening ${room.title} …`);
    return html`${Object.assign(open.element, { me, overview, server, rest })}`;
  }

  #list(me: Me): TemplateResult {
    const listed = [
      ...ROOMS.filter(({ behind, isFor }) => behind === undefined && (isFor?.(me) ?? true)).map((room) => ({
        ...room,
        href: `#/${room.name}`,
      })),
      ...PAGES,
    ];
    return html`<div>
      <div class="head"><h1>Everything here</h1></div>
      ${PARTS.map(([part, title]) => {
        const rooms = listed.filter((room) => room.part === part);
        return rooms.length === 0
          ? nothing
          : html`<section><h2>${title}</h2><ul class="rows">${rooms.map(
              ({ href, icon: picture, title: words, about }) =>
                html`<li><a class="row-link" href=${href}><span class="tile">${icon(picture)}</span><span class="row-words"><strong>${words}</strong><small>${about}</small></span>${icon("next")}</a></li>`,
            )}</ul></section>`;
      })}
    </div>`;
  }
}
showLight(); // Before anything is drawn.
customElements.define("fh-home", Home);
