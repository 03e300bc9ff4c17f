/** `freehold vendor token`: a token for one grant that any program can send, for trying things out with curl. */
import { FreeholdError, fetchOk } from "@freehold/client";
import { openVendor } from "@freehold/client/node";
import type { ProgramCommand } from "../program.ts";

const UMA_TICKET = "urn:ietf:params:oauth:grant-type:uma-ticket";

/** Of signs that a shell leaves alone, for it comes into a line that is meant to be copied there. */
const GRANT = /^(https?:\/\/[a-z0-9.:[\]-]+\/)([a-z0-9-]+)\/\.consent\/grants\/([A-Za-z0-9_-]+)$/;

/** The server, the pod's name and the grant's, from its address. @throws FreeholdError `input-invalid`. */
function partsOf(grant: string): { readonly server: string; readonly pod: string; readonly id: string } {
  const [, server, pod, id] = GRANT.exec(grant) ?? [];
  if (server === undefined || pod === undefined || id === undefined)
    throw new FreeholdError("input-invalid", "This is no grant", { detail: grant });
  return { server, pod, id };
}

export const token: ProgramCommand = {
  name: "token",
  usage: "<grant>",
  about: "Print a token that stands for a grant and nothing else, for some minutes, and how curl sends it",
  async run(input) {
    const [grant = ""] = input.args;
    const { server, pod, id } = partsOf(grant);
    const vendor = await openVendor(input.folder);
    const credential = (await (
      await fetchOk(vendor.fetch, `${server}.vc/${pod}/grant/${id}`)
    ).json()) as object;
    const presentation = {
      "@context": ["https://www.w3.org/2018/credentials/v1"],
      type: ["VerifiablePresentation"],
      verifiableCredential: [credential],
    };
    const response = await fetchOk(vendor.fetch, `${server}.vc/token`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: UMA_TICKET,
        claim_token: Buffer.from(JSON.stringify(presentation)).toString("base64"),
        claim_token_format: "https://www.w3.org/TR/vc-data-model/#json-ld",
      }).toString(),
    });
    const { access_token: text } = (await response.json()) as { readonly access_token: string };
    input.say(text);
    input.say(`curl -H "Authorization: Bearer $(freehold vendor token ${grant} | head -1)" ${server}${pod}/`);
    return 0;
  },
};
