/** What the pages of hosting share: each loads one answer, shows what is wrong, and looks again while something is under way. */
import { html, type PropertyDeclarations, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { Part, state } from "../../parts/element.ts";
import { refusalBox, tell, waiting } from "../../parts/notices.ts";
import { withProof } from "../../parts/prove.ts";

export const doorOf = (path: string): string => `/.account/hosting/${path}`;

/** @typeParam T What the page is about. */
export abstract class HostingPart<T> extends Part {
  static override properties: PropertyDeclarations = state("answer", "busy", "refusal");
  declare answer: T | null;
  /** Name of the act that is under way; empty: none. */
  declare busy: string;
  declare refusal: Refusal | null;
  #timer = 0;

  constructor() {
    super();
    this.answer = null;
    this.busy = "";
    this.refusal = null;
  }

  /** Asks for what is shown. */
  protected abstract fetch(): Promise<T>;

  /** How soon to look again, in ms; 0: not by itself. */
  protected again(_answer: T): number {
    return 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearTimeout(this.#timer);
  }

  async load(): Promise<void> {
    window.clearTimeout(this.#timer);
    try {
      const answer = await this.fetch();
      this.answer = answer;
      const ms = this.again(answer);
      if (ms > 0 && this.isConnected) this.#timer = window.setTimeout(() => void this.load(), ms);
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  /**
   * Does something, asking for a proof where the server does, and shows what became of it.
   * @param undo Takes it back.
   */
  protected async run(
    name: string,
    work: () => Promise<unknown>,
    said: string,
    undo: (() => Promise<unknown>) | null = null,
  ): Promise<boolean> {
    this.busy = name;
    this.refusal = null;
    try {
      await withProof(work);
      const back = async (): Promise<void> => {
        await undo?.();
        await this.load();
      };
      tell(said, undo && back);
      await this.load();
      return true;
    } catch (error) {
      this.refusal = toRefusal(error);
      return false;
    } finally {
      this.busy = "";
    }
  }

  protected post(path: string, fields: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return ask("POST", doorOf(path), fields);
  }

  /** What is there, or why it is not. */
  protected shown(show: (answer: T) => TemplateResult): TemplateResult {
    const { answer } = this;
    return html`${refusalBox(this.refusal)}
    ${
      answer
        ? show(answer)
        : this.refusal
          ? html`<button class="second wide" @click=${() => void this.retry()}>Try again</button>`
          : waiting("Looking …")
    }`;
  }

  protected async retry(): Promise<void> {
    this.refusal = null;
    await this.load();
  }
}
