/** A page that logs people in with @inrupt/solid-client-authn-browser, and reads and writes for them: bundled, and run in Chromium. */
import { getPodUrlAll, getSolidDataset, getSourceUrl, getThingAll } from "@inrupt/solid-client";
import { Session } from "@inrupt/solid-client-authn-browser";

const session = new Session();
const { issuer, clientId } = JSON.parse(document.querySelector("meta[name=app]").content);
const redirectUrl = new URL("/", location.href).href;
const show = (text) => {
  document.body.textContent = text;
};

/** What the test asks of the page. */
window.app = {
  session,
  logIn: () =>
    session.login({
      oidcIssuer: issuer,
      redirectUrl,
      tokenType: "DPoP",
      ...(clientId ? { clientId } : { clientName: "Photo Frame" }),
    }),
  logOut: () => session.logout({ logoutType: "app" }),
  info: () => ({ isLoggedIn: session.info.isLoggedIn, webId: session.info.webId ?? null }),
  pods: () => getPodUrlAll(session.info.webId, { fetch: session.fetch }),
  async things(url) {
    const dataset = await getSolidDataset(url, { fetch: session.fetch });
    return { from: getSourceUrl(dataset), things: getThingAll(dataset).length };
  },
  /** Status, and the header fields that a page of another origin may read. */
  async ask(url, init) {
    const answer = await session.fetch(url, init);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
  },
};

try {
  await session.handleIncomingRedirect({ url: location.href, restorePreviousSession: false });
  show(session.info.isLoggedIn ? `Signed in as ${session.info.webId}` : "Signed out");
} catch (error) {
  show(`Failed: ${error?.stack ?? error}`);
}
