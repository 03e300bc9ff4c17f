/** `<fh-sign-in>`: passkey first, password for those who chose one. Fires `signed-in`. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { fieldsOf, given, Part, state } from "./element.ts";
import { icon } from "./icons.ts";
import type { Me } from "./model.ts";
import { busyWords, refusalBox } from "./notices.ts";
import { canUsePasskeys, loginByPasskey } from "./passkey.ts";

class SignIn extends Part {
  static override properties = { ...given("passkeys", "me"), ...state("busy", "refusal") };
  /** Whether this server's address allows passkeys. */
  declare passkeys: boolean;
  /** Who it must be, when that is known: then only the proof is asked for, in the ways that this person has. */
  declare me: Me | null;
  declare busy: "" | "passkey" | "password";
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.passkeys = true;
    this.me = null;
    this.busy = "";
    this.refusal = null;
  }

  async #run(kind: "passkey" | "password", work: () => Promise<unknown>): Promise<void> {
    this.busy = kind;
    this.refusal = null;
    try {
      await work();
      this.dispatchEvent(new CustomEvent("signed-in", { bubbles: true }));
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #submit(event: SubmitEvent): void {
    const { pod = "", password = "" } = fieldsOf(event);
    void this.#run("password", () => ask("POST", "/.account/login", { pod: pod.trim(), password }));
  }

  protected override render(): TemplateResult {
    const usePasskeys = this.passkeys && canUsePasskeys() && this.me?.passkeys.length !== 0;
    const usePassword = this.me?.hasPassword !== false;
    return html`
      ${refusalBox(this.refusal)}
      ${
        usePasskeys
          ? html`<button class="first wide" ?disabled=${this.busy !== ""} @click=${() => this.#run("passkey", loginByPasskey)}>
              ${busyWords(this.busy === "passkey", html`${icon("finger")}Sign in with a passkey`, "Waiting for your device …")}
            </button>
            ${usePassword ? html`<p class="or"><span>or with your password</span></p>` : nothing}`
          : nothing
      }
      ${
        usePassword
          ? html`<form class="stack" @submit=${(event: SubmitEvent) => this.#submit(event)}>
        ${
          this.me
            ? html`<input class="hidden" name="pod" autocomplete="username" tabindex="-1" aria-hidden="true" .value=${this.me.pod} />`
            : html`<label class="field"><span>Pod name</span>
                <input name="pod" required autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="63" /></label>`
        }
        <label class="field"><span>Password</span>
          <input name="password" type="password" required autocomplete="current-password" maxlength="1024" /></label>
        <button class=${usePasskeys ? "second wide" : "first wide"} ?disabled=${this.busy !== ""}>
          ${busyWords(this.busy === "password", "Sign in", "Checking …")}
        </button>
      </form>`
          : nothing
      }
    `;
  }
}
customElements.define("fh-sign-in", SignIn);
