/** Begins the data browser in its page, and keeps its pictures on this server. */

/** Made by mashlib, whose script comes after this one. */
declare const panes: { runDataBrowser(): void };

/** Where its icons are looked for, instead of at their makers'. */
const ICONS = `${location.origin}/.ui/data-browser/icons/`;

const LOGO = `${location.origin}/.ui/server/ui/icon.svg`;

Object.assign(globalThis, { $SolidTestEnvironment: { iconBase: ICONS, originalIconBase: ICONS } });

/** The header names its makers' picture again whenever it is drawn. */
function keepLogo(): void {
  const header = document.getElementById("mainSolidUiHeader");
  if (header && header.getAttribute("logo") !== LOGO) header.setAttribute("logo", LOGO);
}

document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(keepLogo).observe(document.body, { attributeFilter: ["logo"], subtree: true });
  panes.runDataBrowser();
});
