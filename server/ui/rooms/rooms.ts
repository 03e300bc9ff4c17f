/** The rooms of the owner's pages, in one table: where each is, what it is for, and its code, which is fetched when somebody goes there. */
import type { IconName } from "../parts/icons.ts";
import type { Me } from "../parts/model.ts";

/** Where a room stands in the list of all rooms; `main` ones are in the bar on every screen. */
type Part = "main" | "data" | "sharing" | "you" | "others";

export interface Room {
  /** As it stands in the address: `#/data`. */
  readonly name: string;
  readonly title: string;
  /** What one does there, in at most ten words. */
  readonly about: string;
  readonly icon: IconName;
  readonly part: Part;
  /** The element that is the room; its `me`, `server`, `overview` and `rest` are set. */
  readonly element: string;
  /** Defines the element. */
  readonly load: () => Promise<unknown>;
  /** Whether it has a style sheet of its own: `rooms/{name}/{name}.css`. */
  readonly styled?: boolean;
  /** The room that it is reached from, where it is in no list. */
  readonly behind?: string;
  /** Who has any use for it; everybody unless said. */
  readonly isFor?: (me: Me) => boolean;
}

/** Pages of their own, which stand in the list of all rooms. */
export const PAGES: readonly (Pick<Room, "title" | "about" | "icon" | "part"> & { readonly href: string })[] =
  [
    {
      title: "For companies",
      about: "Ask people for access, and use what they gave",
      icon: "search",
      part: "others",
      href: "/.vendor",
    },
  ];

export const PARTS: readonly (readonly [part: Part, title: string])[] = [
  ["data", "Your data"],
  ["sharing", "People and companies"],
  ["you", "You"],
  ["others", "For others"],
];

export const ROOMS: readonly Room[] = [
  {
    name: "home",
    title: "Home",
    about: "How your pod is doing, at a glance",
    icon: "home",
    part: "main",
    element: "fh-overview",
    load: () => import("./home/home.ts"),
    styled: true,
  },
  {
    name: "data",
    title: "Data",
    about: "All that is in your pod",
    icon: "folder",
    part: "main",
    element: "fh-data",
    load: () => import("./data/data.ts"),
    styled: true,
  },
  {
    name: "sharing",
    title: "Sharing",
    about: "Who can see what",
    icon: "people",
    part: "main",
    element: "fh-sharing",
    load: () => import("./sharing/sharing.ts"),
    styled: true,
  },
  {
    name: "requests",
    title: "Requests",
    about: "Who asks for something, and what you answered",
    icon: "asking",
    part: "main",
    element: "fh-requests",
    load: () => import("./requests/requests.ts"),
    styled: true,
  },
  {
    name: "activity",
    title: "Activity",
    about: "Who looked at what",
    icon: "eye",
    part: "main",
    element: "fh-activity",
    load: () => import("./activity/activity.ts"),
    styled: true,
  },
  {
    name: "trash",
    title: "Trash",
    about: "Bring back what you deleted",
    icon: "trash",
    part: "data",
    element: "fh-trash",
    load: () => import("./data/trash.ts"),
  },
  {
    name: "import",
    title: "Import",
    about: "Bring in files from a bank, shop or phone",
    icon: "upload",
    part: "data",
    element: "fh-import",
    load: () => import("./import/import.ts"),
    styled: true,
  },
  {
    name: "leave",
    title: "Take along or leave",
    about: "Export, move or erase your pod",
    icon: "move",
    part: "data",
    element: "fh-leave",
    load: () => import("./leave/leave.ts"),
    styled: true,
  },
  {
    name: "relationships",
    title: "Companies",
    about: "Whom you gave something, and what they did",
    icon: "case",
    part: "sharing",
    element: "fh-relationships",
    load: () => import("./relationships/relationships.ts"),
    styled: true,
  },
  {
    name: "preferences",
    title: "Your rules",
    about: "What goes without asking you",
    icon: "sliders",
    part: "sharing",
    element: "fh-preferences",
    load: () => import("./preferences/preferences.ts"),
    styled: true,
  },
  {
    name: "apps",
    title: "Apps",
    about: "Apps that you let in",
    icon: "plug",
    part: "sharing",
    element: "fh-apps",
    load: () => import("./apps/apps.ts"),
    styled: true,
  },
  {
    name: "passport",
    title: "Passport",
    about: "Your number for life, and its recovery file",
    icon: "card",
    part: "you",
    element: "fh-passport",
    load: () => import("./passport/passport.ts"),
    styled: true,
  },
  {
    name: "settings",
    title: "Settings",
    about: "Your name, light and dark, how days are written",
    icon: "gear",
    part: "you",
    element: "fh-settings",
    load: () => import("./settings/settings.ts"),
  },
  {
    name: "security",
    title: "Security",
    about: "How you sign in, and where you are signed in",
    icon: "shield",
    part: "you",
    element: "fh-security",
    load: () => import("./security/security.ts"),
  },
  {
    name: "hosting",
    title: "Hosting",
    about: "Run this server for those who live on it",
    icon: "globe",
    part: "others",
    element: "fh-hosting",
    load: () => import("./hosting/hosting.ts"),
    styled: true,
    isFor: (me) => me.isOperator,
  },
];
