/** `<fh-groups>`: lists of people that something can be shared with at once. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, Refusal, toRefusal } from "../../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../../parts/element.ts";
import {
  changeMembers,
  type Group,
  isAddress,
  listGroups,
  makeGroup,
  removeGroup,
} from "../../parts/groups.ts";
import { icon } from "../../parts/icons.ts";
import type { Me, Mode, Overview } from "../../parts/model.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { mayOpen, openingOf } from "../../parts/opening.ts";
import { count, hostOf, initialOf, placeOf } from "../../parts/words.ts";

const LEVELS: Readonly<Record<string, readonly Mode[]>> = {
  see: ["read"],
  add: ["read", "append"],
  change: ["read", "write"],
};

class Groups extends Part {
  static override properties = {
    ...given("me", "overview"),
    ...state("groups", "busy", "refusal", "removing", "question"),
  };
  declare me: Me;
  declare overview: Overview;
  declare groups: readonly Group[] | null;
  /** Path of the group that is being changed; `new` for one that is being made. */
  declare busy: string;
  declare refusal: Refusal | null;
  /** Path of the group that is about to go. */
  declare removing: string;
  /** What would be opened, while the person is asked about it. */
  declare question: TemplateResult | null;

  constructor() {
    super();
    this.groups = null;
    this.busy = "";
    this.refusal = null;
    this.removing = "";
    this.question = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#do("", async () => {});
  }

  /** @returns whether it worked. */
  async #do(busy: string, work: () => Promise<void>): Promise<boolean> {
    this.busy = busy;
    this.refusal = null;
    try {
      await work();
      this.groups = await listGroups(this.me.pod);
      if (busy) this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
      return true;
    } catch (error) {
      this.refusal = toRefusal(error);
      return false;
    } finally {
      this.busy = "";
    }
  }

  async #make(event: SubmitEvent): Promise<void> {
    const form = event.target as HTMLFormElement;
    const { name = "" } = fieldsOf(event);
    if (await this.#do("new", () => makeGroup(this.me.pod, name.trim()))) {
      form.reset();
      tell(`The group ${name.trim()} is there. Now put people on it.`);
    }
  }

  async #add(group: Group, event: SubmitEvent): Promise<void> {
    const form = event.target as HTMLFormElement;
    const address = (fieldsOf(event)["address"] ?? "").trim();
    if (!isAddress(address)) {
      this.refusal = new Refusal(
        "address",
        "This is no full address",
        "",
        "It begins with https:// and can be copied from the person's own page.",
      );
      return;
    }
    if (await this.#members(group, [...new Set([...group.members, address])])) {
      form.reset();
      tell(`Whoever has this address is in ${group.name} now.`, () => this.#undo(group));
    }
  }

  #members(group: Group, members: readonly string[]): Promise<boolean> {
    return this.#do(group.path, () => changeMembers(group, members));
  }

  async #undo(group: Group): Promise<void> {
    if (!(await this.#members(group, group.members)) && this.refusal) throw this.refusal;
  }

  async #drop(group: Group, member: string): Promise<void> {
    if (
      await this.#members(
        group,
        group.members.filter((other) => other !== member),
      )
    )
      tell(`They are no longer in ${group.name}.`, () => this.#undo(group));
  }

  /** What one of them would see is what all would. */
  async #share({ name, address, members }: Group, event: SubmitEvent): Promise<void> {
    const { path = "", level = "see" } = fieldsOf(event);
    let undo = "";
    let isYes = true;
    const isDone = await this.#do(path, async () => {
      const opening = await openingOf(path, { kind: "person", iri: members[0] ?? "" });
      isYes = await mayOpen(opening, name, (question) => (this.question = question));
      if (!isYes) return;
      const who = { kind: "group", iri: address };
      ({ undo } = await ask<{ undo: string }>("POST", "/.account/access/grant", {
        path,
        who,
        modes: LEVELS[level],
      }));
    });
    if (isDone && isYes)
      tell(`Shared with ${name}: ${placeOf(path)}.`, async () => {
        await ask("POST", "/.account/access/undo", { undo });
        this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
      });
  }

  async #remove(group: Group): Promise<void> {
    if (await this.#do(group.path, () => removeGroup(group)))
      tell(`${group.name} is in the trash. Bring it back there.`);
    this.removing = "";
  }

  protected override render(): TemplateResult {
    const { groups, busy } = this;
    return html`<section>
      <div class="head"><h2>Groups</h2><p class="soft">Share with a group once. Whoever is on it can see it, for as long as they are on it.</p></div>
      ${refusalBox(this.refusal)}
      ${this.question ? html`<div class="panel">${this.question}</div>` : nothing}
      ${groups ? groups.map((group) => this.#group(group)) : this.refusal ? nothing : waiting("Looking …")}
      <form class="panel" @submit=${(event: SubmitEvent) => this.#make(event)}>
        <h3>${icon("plus")}A new group</h3>
        <div class="stack inline"><label class="field"><span>What to call it</span><input name="name" required maxlength="60" placeholder="Family" /></label>
          <button class="first" ?disabled=${busy !== ""}>${busyWords(busy === "new", "Make it", "Making …")}</button></div>
      </form>
    </section>`;
  }

  #group(group: Group): TemplateResult {
    const { name, members, path, isForeign } = group;
    const isBusy = this.busy === path;
    return html`<article class="panel person">
      <header><span class="avatar">${icon("people")}</span><div class="row-words"><h3>${name}</h3><small>${count(members.length, "person", "people")}</small></div>
        ${isForeign ? nothing : html`<button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Delete ${name}, the group`} @click=${() => (this.removing = path)}>Delete</button>`}</header>
      ${
        this.removing === path
          ? html`<div class="notice">${icon("warn")}<div><p><strong>Delete ${name}?</strong> Whoever sees something only by this group sees it no more.</p>
              <div class="pair"><button class="second" @click=${() => (this.removing = "")}>Keep it</button><button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#remove(group)}>${busyWords(isBusy, "Delete it", "Deleting …")}</button></div></div></div>`
          : nothing
      }
      ${
        members.length === 0
          ? nothing
          : html`<ul>${members.map(
              (
                member,
              ) => html`<li><span class="avatar small" aria-hidden="true">${initialOf(hostOf(member))}</span><span class="row-words address">${member}</span>
        ${isForeign ? nothing : html`<button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Take off ${name}: ${member}`} @click=${() => this.#drop(group, member)}>Take off</button>`}</li>`,
            )}</ul>`
      }
      ${
        isForeign
          ? html`<p class="small soft">Another app keeps this group, and more with it. Change it there.</p>`
          : html`<form class="stack inline" @submit=${(event: SubmitEvent) => this.#add(group, event)}>
              <label class="field"><span>Address of a person</span><input name="address" type="url" required autocomplete="off" spellcheck="false" placeholder="https://…" /></label>
              <button class="second" ?disabled=${this.busy !== ""}>${busyWords(isBusy, "Put on the list", "…")}</button></form>`
      }
      ${members.length === 0 || this.overview.isAdding ? nothing : this.#shareForm(group)}
    </article>`;
  }

  #shareForm(group: Group): TemplateResult {
    return html`<details><summary>Share something with ${group.name}</summary>
      <form class="stack" @submit=${(event: SubmitEvent) => this.#share(group, event)}>
        <label class="field"><span>What</span><select name="path" required>${this.overview.items.map(({ path, name, isFolder }) => html`<option value=${path}>${name}${isFolder ? " (folder)" : ""}</option>`)}</select></label>
        <label class="field"><span>They may</span><select name="level"><option value="see">See it</option><option value="add">See it, and add to it</option><option value="change">See it, add to it and change it</option></select></label>
        <button class="first" ?disabled=${this.busy !== ""}>Share</button>
      </form></details>`;
  }
}
customElements.define("fh-groups", Groups);
