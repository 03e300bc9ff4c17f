/** The rules of consent that vendors, browsers and this server run alike. */
export * from "@freehold/client/consent";
