/** The doors of consent, and what each agent gets at them: rows of the matrix. A grant or request that is nobody's is to nobody there. */

type Row = readonly [what: string, path: string, init: RequestInit, ...expected: readonly number[]];

const NONE = "AAAAAAAAAAAAAAAAAAAAAA";
const lws = (method: string, body = "{}"): RequestInit => ({
  method,
  headers: { "content-type": "application/lws+json" },
  body,
});
const json = (method: string, body: string): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body,
});
const DELETE = { method: "DELETE" };
/** What the owner alone may, and all others are told so. */
const OWNERS = [401, 403, 403, 403, 403, 403] as const;
/** What belongs to the owner and to one vendor, and to all others is not there. */
const ABSENT = [401, 404, 404, 404, 404, 404, 404] as const;
/** What everybody with a name may, for it is about themselves. */
const NAMED = [401, 200, 200, 200, 200, 200, 200] as const;

//                                                   public stranger reader appender writer controller owner
export const CONSENT_DOORS: Readonly<Record<string, readonly Row[]>> = {
  "get /:pod/.consent/requests": [["one's own", ".consent/requests", {}, ...NAMED]],
  "post /:pod/.consent/requests": [
    ["what is no request", ".consent/requests", lws("POST"), 401, 422, 422, 422, 422, 422, 422],
  ],
  "get /:pod/.consent/requests/:id": [["none", `.consent/requests/${NONE}`, {}, ...ABSENT]],
  "delete /:pod/.consent/requests/:id": [["none", `.consent/requests/${NONE}`, DELETE, ...ABSENT]],
  "post /:pod/.consent/requests/:id/decision": [
    ["of none", `.consent/requests/${NONE}/decision`, json("POST", '{"outcome":"grant"}'), ...ABSENT],
  ],
  "get /:pod/.consent/requests/:id/preview": [
    ["of none", `.consent/requests/${NONE}/preview`, {}, ...ABSENT],
  ],
  "post /:pod/.consent/requests/:id/preview": [
    ["of none", `.consent/requests/${NONE}/preview`, json("POST", "{}"), ...ABSENT],
  ],
  "post /:pod/.consent/expectations": [["one", ".consent/expectations", json("POST", "{}"), ...OWNERS, 201]],
  "get /:pod/.consent/decisions": [["all", ".consent/decisions", {}, ...OWNERS, 200]],
  "post /:pod/.consent/decisions/:id/undo": [
    ["of none", `.consent/decisions/${NONE}/undo`, json("POST", "{}"), ...OWNERS, 404],
  ],
  "get /:pod/.consent/grants": [["one's own", ".consent/grants", {}, ...NAMED]],
  "post /:pod/.consent/grants": [["what is no grant", ".consent/grants", lws("POST"), ...OWNERS, 422]],
  "post /:pod/.consent/preview": [["of what is no grant", ".consent/preview", lws("POST"), ...OWNERS, 422]],
  "get /:pod/.consent/parties": [["all", ".consent/parties", {}, ...OWNERS, 200]],
  "get /:pod/.consent/grants/:id": [["none", `.consent/grants/${NONE}`, {}, ...ABSENT]],
  "delete /:pod/.consent/grants/:id": [["none", `.consent/grants/${NONE}`, DELETE, ...ABSENT]],
  "put /:pod/.consent/grants/:id/state": [
    ["of none", `.consent/grants/${NONE}/state`, json("PUT", '{"state":"Active"}'), ...ABSENT],
  ],
  "get /:pod/.consent/grants/:id/receipts": [["of none", `.consent/grants/${NONE}/receipts`, {}, ...ABSENT]],
  "get /:pod/.consent/former-hosts": [
    ["of a pod that was nowhere else", ".consent/former-hosts", {}, 401, 404, 404, 404, 404, 404, 200],
  ],
  "get /:pod/.consent/receipts/:id": [["none", `.consent/receipts/${NONE}`, {}, ...ABSENT]],
  "put /:pod/.consent/receipts/:id/countersignature": [
    ["of none", `.consent/receipts/${NONE}/countersignature`, json("PUT", "{}"), ...ABSENT],
  ],
  "get /:pod/.consent/preferences": [["all", ".consent/preferences", {}, ...OWNERS, 200]],
  "put /:pod/.consent/preferences": [
    ["what is none", ".consent/preferences", json("PUT", '{"x":1}'), ...OWNERS, 400],
  ],
  "post /:pod/.consent/preferences/trial": [
    ["of what is none", ".consent/preferences/trial", json("POST", '{"x":1}'), ...OWNERS, 400],
  ],
  "post /:pod/.consent/campaigns": [
    ["what is none", ".consent/campaigns", json("POST", "{}"), 401, 400, 400, 400, 400, 400, 400],
  ],
  "get /:pod/.consent/honey": [["all", ".consent/honey", {}, ...OWNERS, 200]],
  "put /:pod/.consent/honey": [["what is none", ".consent/honey", json("PUT", '{"x":1}'), ...OWNERS, 400]],
  "get /:pod/.consent/attention": [["all", ".consent/attention", {}, ...OWNERS, 200]],
  "delete /:pod/.consent/attention/:id": [["none", ".consent/attention/none", DELETE, ...OWNERS, 404]],
  "get /:pod/.consent/breach": [["without a time", ".consent/breach", {}, ...OWNERS, 400]],
  "put /:pod/.consent/keys/:id": [["what is none", ".consent/keys/none", { method: "PUT" }, ...OWNERS, 400]],
  "delete /:pod/.consent/keys/:id": [["none", ".consent/keys/none", DELETE, ...OWNERS, 400]],
  "get /:pod/.views/": [["all", ".views/", {}, ...NAMED]],
  "get /:pod/.views/:id": [["none", `.views/${NONE}`, {}, ...OWNERS, 404]],
  "put /:pod/.views/:id": [
    ["what is none", ".views/x", json("PUT", '{"x":1}'), 401, 404, 404, 404, 404, 404, 400],
  ],
  "delete /:pod/.views/:id": [["none", `.views/${NONE}`, DELETE, ...ABSENT]],
};
