/** A browser of few words: keeps the cookie, and sends what a page of the server itself would send. */
import type { Harness } from "../ui/harness.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at what they expect
  readonly body: any;
}

export interface Browser {
  cookie: string;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

export function openBrowser({ baseUrl }: Pick<Harness, "baseUrl">): Browser {
  const browser: Browser = {
    cookie: "",
    async send(method, path, body, headers = {}) {
      const response = await fetch(new URL(path, baseUrl), {
        method,
        redirect: "manual",
        headers: {
          "user-agent": FIREFOX,
          ...(method === "GET" ? {} : { origin: new URL(baseUrl).origin }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(browser.cookie ? { cookie: browser.cookie } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const [set] = response.headers.getSetCookie();
      if (set) browser.cookie = /Max-Age=0/.test(set) ? "" : (set.split(";")[0] ?? "");
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text.startsWith("{") ? JSON.parse(text) : text,
      };
    },
  };
  return browser;
}

export const PASSWORD = "correct horse battery staple";

/** The token in a set-up link, as the page would read it from the fragment. */
export const tokenOf = (link: string): string => new URL(link).hash.slice("#token=".length);

/** Opens an account as the set-up page does. */
export async function setUp(
  harness: Harness,
  name: string,
  pod: string,
  password = PASSWORD,
): Promise<Browser> {
  const browser = openBrowser(harness);
  const token = tokenOf(await harness.accounts.createSetupLink());
  const { status, body } = await browser.send("POST", "/.account/setup", {
    token,
    name,
    pod,
    password,
    createOp: { op: "first" },
    recoverySaved: true,
  });
  if (status !== 200) throw new Error(`Set-up was refused: ${JSON.stringify(body)}`);
  return browser;
}
