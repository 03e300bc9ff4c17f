/** Every requirement of the Solid specifications on a server, and what shows that this one meets it. */
import { ACP } from "./acp-rows.ts";
import type { Entry, Section } from "./entry.ts";
import { NOTIFICATIONS } from "./notifications-rows.ts";
import { PROVIDER, RESOURCE_SERVER } from "./oidc-rows.ts";
import { PROTOCOL } from "./protocol-rows.ts";
import { WAC } from "./wac-rows.ts";

export const SECTIONS: readonly Section[] = [PROTOCOL, WAC, NOTIFICATIONS, PROVIDER, RESOURCE_SERVER, ACP];

export const ENTRIES: readonly Entry[] = SECTIONS.flatMap(({ entries }) => entries);
