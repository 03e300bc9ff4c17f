/** The example of the registry's design, byte for byte: made by another program, so it can tell ours that it is wrong. */
import type { PassportId } from "../../client-lib/passport/index.ts";

export const GOLDEN_ID = "dpch1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgyxwc2vv" as PassportId;

const RECOVERY = `{"hashes":["8VghStLM8dtC6an9ePcGLmAHOMeaVSOwsQEXkp4DGPE","VZGkRINpJJ-U39de1A7GqJKCtG-1fe9PMeNzLAgwQ3I","A1DXA3YdxF9XXEhPpwh9CZU4U3FC5rhX8azhTVfrQMs"],"threshold":2,"delay":"P7D"}`;

export const GOLDEN_CREATE = `{"op":{"v":1,"t":"create","zone":"ch","seq":0,"prev":null,
  "auth":{"keys":["z6Mkq9MTuuo1Axjvwbvw4cgpKUx35bfULLiUyrn2CTmUcEs5"],"threshold":1},
  "next":{"hashes":["L_iGA8W82oOcbwsoXu64NacUjM63EGFWpAErwwtO2co"],"threshold":1},
  "recovery":${RECOVERY},
  "delegate":{"key":"z6MkkEYGKViogKRJDCuJvT8qVH9SGbGt4Jr7rYGutjN1dmhX","may":["data"]},
  "registrar":"ch.alpenpod","locks":["transfer","port"],"nonce":"WxoTguv86RwyqXrWUeeNKg"},
 "sigs":[{"k":0,"s":"6in6JmLhxsMpyC0G5rPU4dVRcn5hybRaWgsDt4CZXuy0uCJKmLxQQ8KGX5lPHhdTJPBMLmATlX8PPNDBeYFqAg"}],
 "sponsor":{"by":"ch.alpenpod","s":"silHt69dxkZ66jGiW4rnmncpDN1Nt3IuSrH2A7rXxCF5LwIvQJHf8FgBvIPqzVlBPNKqbmn-K470Er21vsX0Aw"}}`;

export const GOLDEN_ROTATE = `{"op":{"v":1,"t":"rotate","id":"${GOLDEN_ID}","seq":1,"prev":"A9UPJNDToaj9P65zgMXxDnn2M09OB7jxPCz-YBjpRk4",
  "auth":{"keys":["z6MkepKCHVwQtFB3ReaJGfB3YTE9kRRW6wnLgjTGVesDFLTq"],"threshold":1},
  "next":{"hashes":["Msd-hl53z2uF7RlgZUEx0fdXn2t0TZ21QaNhVjKdXdk"],"threshold":1},"recovery":${RECOVERY},
  "delegate":{"key":"z6Mkk8LbrQmjHtotGdUveqQfUCDkDMCEV2GECyCa9XHBYjjM","may":["data"]},"registrar":"ch.zuripod","locks":["transfer","port"]},
 "sigs":[{"k":0,"s":"bP0Yxx3Kox0BnTdhKaPPOaSlzCXpBytF17uBS31L6D10gYnbvSca1lhDuFdhbktnPxoYiIpAUepZ2laFPs96BQ"}]}`;

export const GOLDEN_DATA = `{"op":{"v":1,"t":"data","id":"${GOLDEN_ID}","aseq":1,"dseq":1,
  "webid":["https://id.dcann.example/${GOLDEN_ID}#me"],"oidc":"https://login.zuripod.example/",
  "storage":[{"id":"#pod","url":"https://alice.zuripod.example/"}],
  "moved":[{"from":"https://alice.alpenpod.example/","to":"https://alice.zuripod.example/","at":"2026-11-21T12:00:00Z","redirectUntil":"2028-11-21T00:00:00Z"}],
  "keys":[{"id":"#sign","key":"z6MkepKCHVwQtFB3ReaJGfB3YTE9kRRW6wnLgjTGVesDFLTq","for":["authentication","assertionMethod"]}],"ttl":3600},
 "sigs":[{"k":"d","s":"TgB3Hk2KAryYzXkOSW32GPFRqbkMS_QwLiT-V0hXmK1yo9WrBliQJczeUAtj2HAFcPKelmH2ziRz1P7v2jjVAA"}]}`;

export const GOLDEN_BUNDLE = `{"id":"${GOLDEN_ID}","head":{"auth":[${GOLDEN_CREATE},${GOLDEN_ROTATE}],"data":${GOLDEN_DATA}}}`;
