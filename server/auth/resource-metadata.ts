/** What a client may read about tokens before it asks for anything: where to get one, and how it is shown. */
import { json } from "../body.ts";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { Door } from "../operation.ts";
import type { ChallengeSettings } from "./challenge.ts";
import { SIGNING_ALGORITHMS } from "./jwk.ts";

export const RESOURCE_METADATA_PATH = "/.well-known/oauth-protected-resource";

/**
 * `GET /.well-known/oauth-protected-resource` and the same with the path of any resource behind it. It says the same of
 * all, there or not, so it tells nothing of any pod. https://www.rfc-editor.org/rfc/rfc9728#section-3
 * @throws (it) Problem `path-invalid` for what no resource can be called, `not-found` for a query.
 */
export function createResourceMetadata({ baseUrl, bearer }: ChallengeSettings): Door {
  return async ({ url }) => {
    if (url.search !== "") throw new Problem("not-found", "No resource here has a query in its address");
    const { path } = parseTarget(url.pathname.slice(RESOURCE_METADATA_PATH.length) || "/");
    return json(
      200,
      {
        resource: baseUrl.slice(0, -1) + path,
        authorization_servers: [baseUrl],
        scopes_supported: ["openid", "webid", "offline_access"],
        bearer_methods_supported: bearer ? ["header"] : [],
        dpop_signing_alg_values_supported: SIGNING_ALGORITHMS,
        dpop_bound_access_tokens_required: !bearer,
      },
      { "cache-control": "public, max-age=3600" },
    );
  };
}
