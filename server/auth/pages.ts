/** The few pages that the provider shows itself: plain, without scripts of ours, fonts or pictures. */
import { escapeHtml } from "../html.ts";

/** @param body HTML that is safe already. */
function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}

/** @param error OAuth code and description: made by the provider, but they may repeat what the request said. */
export function errorPage(error: {
  readonly error: string;
  readonly error_description?: string | undefined;
}): string {
  const detail = error.error_description ?? error.error;
  return page(
    "The login did not work",
    `<p>${escapeHtml(detail)}</p>\n<p>Go back to the application and start again.</p>`,
  );
}

/** @param form The provider's own form, with its secret. */
export function logoutPage(form: string): string {
  return page(
    "Log out?",
    `${form}\n<p><button type="submit" form="op.logoutForm" value="yes" name="logout">Yes, log out</button>
<button type="submit" form="op.logoutForm">No, stay logged in</button></p>`,
  );
}

/** What stands there after a logout without an application to go back to. */
export function loggedOutPage(): string {
  return page("You are logged out", "<p>You can close this page.</p>");
}
