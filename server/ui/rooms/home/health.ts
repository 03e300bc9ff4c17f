/** How the pod is, in plain words: what is well, and what the owner can do about the rest. */
import { html, type TemplateResult } from "lit";
import { icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { agoOf, count } from "../../parts/words.ts";

/** What the server tells its owner. Times in ms since 1970. */
export interface Health {
  readonly backup: {
    /** Whether the server makes them by the clock. */
    readonly byItself: boolean;
    readonly at: number | null;
    /** When one was last opened to see that it is good. */
    readonly proved: number | null;
    readonly failed: boolean;
  };
  readonly disk: "fine" | "low" | "unknown";
  readonly journal: {
    readonly entries: number;
    readonly checked: { readonly at: number; readonly isSound: boolean } | null;
  };
  /** Requests that nobody has answered. */
  readonly waiting: number;
}

interface Sign {
  readonly isWell: boolean;
  readonly title: string;
  readonly about: string;
  readonly link: readonly [address: string, words: string] | null;
}

const REMINDER_MS = 180 * 86_400_000; // Twice a year is often enough to look whether a file is still there.

function backup({ backup: { at, proved, byItself, failed } }: Health): Sign {
  const copy = ["#/leave", "Save a copy"] as const;
  if (at === null)
    return {
      isWell: false,
      title: "No backup yet",
      about: byItself
        ? "The first one is made soon. Until then, save a copy yourself."
        : "This server makes none by itself. Ask whoever runs it, or save a copy yourself.",
      link: copy,
    };
  const made = `The last one was made ${agoOf(at)}`;
  if (failed)
    return {
      isWell: false,
      title: "The last backup failed",
      about: `${made}. Tell whoever runs the server.`,
      link: copy,
    };
  if (proved === null)
    return {
      isWell: true,
      title: "Backed up",
      about: `${made}. Nobody has tried yet whether it opens.`,
      link: null,
    };
  return {
    isWell: true,
    title: "Backed up",
    about: `${made}. One was opened and looked through ${agoOf(proved)}.`,
    link: null,
  };
}

function record({ journal: { entries, checked } }: Health): Sign {
  const amount = count(entries, "entry", "entries");
  if (checked?.isSound === false)
    return {
      isWell: false,
      title: "Your record is not what it was",
      about: "The last check found something. Look what it was.",
      link: ["#/activity", "Look at it"],
    };
  return {
    isWell: true,
    title: "Your record is kept",
    about: checked
      ? `${amount}. Checked ${agoOf(checked.at)}, and whole.`
      : `${amount}. You have not checked it yet.`,
    link: ["#/activity", "Check it"],
  };
}

function recovery({ passport, recoverySaved }: Me, now: number): Sign | null {
  if (passport === null) return null;
  const link = ["#/passport", "Check it now"] as const;
  if (recoverySaved === null)
    return {
      isWell: false,
      title: "Where is your recovery file?",
      about: "You have not said yet that it is safe.",
      link,
    };
  if (now - recoverySaved > REMINDER_MS)
    return {
      isWell: false,
      title: "Where is your recovery file?",
      about: "It is half a year since you looked after it.",
      link,
    };
  return {
    isWell: true,
    title: "Your recovery file is safe",
    about: `So you said ${agoOf(recoverySaved)}.`,
    link: null,
  };
}

function signIn({ passkeys, hasPassword }: Me): Sign {
  const link = ["#/security", "Add a passkey"] as const;
  if (passkeys.length === 0)
    return {
      isWell: false,
      title: "You sign in with a password",
      about: "A passkey is safer, and there is nothing to remember.",
      link,
    };
  const also = hasPassword ? ", or a password" : "";
  return {
    isWell: true,
    title: `You sign in with a passkey${also}`,
    about:
      passkeys.length === 1 && !hasPassword
        ? "It is your only way in. Add another one."
        : "Nobody can guess it.",
    link: passkeys.length === 1 && !hasPassword ? link : null,
  };
}

/** What to tell of a pod; what needs the owner stands first. */
function signsOf(health: Health, me: Me, now: number = Date.now()): readonly Sign[] {
  const disk: Sign =
    health.disk === "low"
      ? {
          isWell: false,
          title: "The server's disk is nearly full",
          about: "Tell whoever runs it.",
          link: null,
        }
      : { isWell: true, title: "The server runs well", about: "There is room on its disk.", link: null };
  const signs = [
    signIn(me),
    recovery(me, now),
    backup(health),
    record(health),
    ...(health.disk === "unknown" ? [] : [disk]),
  ];
  return signs.filter((sign) => sign !== null).sort((a, b) => Number(a.isWell) - Number(b.isWell));
}

export function healthPanel(health: Health, me: Me): TemplateResult {
  const signs = signsOf(health, me);
  const open = signs.filter(({ isWell }) => !isWell).length;
  return html`<section>
    <div class="head"><h2>How your pod is</h2><p class="soft">${open === 0 ? "All is well." : `${count(open, "thing")} to look after.`}</p></div>
    <ul class="rows signs">${signs.map(
      ({ isWell, title, about, link }) => html`<li class="row-plain">
        <span class="tile ${isWell ? "well" : "open"}">${icon(isWell ? "check" : "warn")}</span>
        <span class="row-words"><strong>${title}</strong><small>${about}</small></span>
        ${link ? html`<a class="button second small" href=${link[0]}>${link[1]}</a>` : ""}</li>`,
    )}</ul>
  </section>`;
}
