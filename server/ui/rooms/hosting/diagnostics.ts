/** `<fh-host-diagnostics>`: what `freehold doctor` finds, with this very browser as the visitor from outside. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import "../../parts/copy.ts";
import { given } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { count } from "../../parts/words.ts";
import type { Diagnosis, Finding } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";

const SOCKET_MS_MAX = 8_000;

const STATES: readonly (readonly [state: Finding["state"], title: string, icon: IconName, kind: string])[] = [
  ["wrong", "Wrong", "warn", "bad"],
  ["note", "To look at", "eye", ""],
  ["ok", "As it should be", "check", "good"],
];

/** Whether a live connection to a pod opens. @returns null, or that it does not. */
function openSocket(pod: string): Promise<string | null> {
  return new Promise((resolve) => {
    const address = new URL(`/${pod}/.notifications/solid-0.1`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, "solid-0.1");
    const settle = (found: string | null): void => {
      resolve(found);
      socket.close();
    };
    socket.addEventListener("open", () => settle(null));
    socket.addEventListener("error", () => settle("refused"));
    window.setTimeout(() => settle("late"), SOCKET_MS_MAX);
  });
}

class HostDiagnostics extends HostingPart<Diagnosis> {
  static override properties = { ...HostingPart.properties, ...given("me") };
  declare me: Me;

  protected override async fetch(): Promise<Diagnosis> {
    const { token, path } = await ask<{ token: string; path: string }>("POST", doorOf("probe"), {});
    const asked = new URL(`/${path}`, location.href).href;
    const [socket] = await Promise.all([openSocket(this.me.pod), fetch(asked).catch(() => null)]);
    return ask("POST", doorOf("diagnostics"), { token, asked, socket, deviceTime: Date.now() });
  }

  async #again(): Promise<void> {
    this.answer = null;
    await this.retry();
  }

  protected override render(): TemplateResult {
    return this.shown(({ findings, report }) => {
      const bad = findings.filter(({ state }) => state === "wrong").length;
      return html`
        <div class="notice ${bad > 0 ? "bad" : "good"}" role="status">${icon(bad > 0 ? "warn" : "check")}<div><strong>${bad > 0 ? `${count(bad, "thing is", "things are")} wrong.` : "Nothing is wrong."}</strong> ${count(findings.length, "thing")} looked at, the way to the server from this browser.</div></div>
        ${STATES.map(([state, title, picture, kind]) => {
          const found = findings.filter((finding) => finding.state === state);
          return found.length === 0
            ? nothing
            : html`<section><h2>${title}</h2><ul class="rows">${found.map(
                ({
                  about,
                  what,
                  next,
                }) => html`<li class="row-plain host-finding ${kind}"><span class="tile">${icon(picture)}</span>
                  <span class="row-words"><strong>${what}</strong>${next === null ? html`<small>${about}</small>` : html`<small>${next}</small>`}</span></li>`,
              )}</ul></section>`;
        })}
        <div class="row"><button class="second" @click=${() => void this.#again()}>Look again</button></div>
        <section><h2>For a report</h2>
          <p class="soft">Paste this when you report a mistake. No name, address, place or key is in it. At the terminal, <code>freehold doctor</code> says the same.</p>
          <div class="host-report"><fh-copy .value=${report} .label=${"the report"}></fh-copy></div>
        </section>`;
    });
  }
}
customElements.define("fh-host-diagnostics", HostDiagnostics);
