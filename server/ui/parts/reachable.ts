/** From where a server can be reached, as far as its address tells. */

export type Reachable = "here" | "nearby" | "web";

const PRIVATE = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|\[f[cde]|\[fe80)/;

/** @param address Of the server, such as `https://pods.example/`. */
export function reachableFrom(address: string): Reachable {
  const { hostname } = new URL(address);
  if (/^(?:localhost|.*\.localhost|127\..*|\[::1\])$/.test(hostname)) return "here";
  if (
    PRIVATE.test(hostname) ||
    !hostname.includes(".") ||
    /\.(?:local|lan|home|internal|home\.arpa)$/.test(hostname)
  )
    return "nearby";
  return "web";
}

export const REACHABLE_WORDS: Readonly<Record<Reachable, readonly [title: string, about: string]>> = {
  here: [
    "This computer only",
    "Good for trying things out. Nobody else can reach this address, apps on other devices neither.",
  ],
  nearby: ["Your own network only", "Devices in your home or office reach it; nobody else does."],
  web: ["The whole web", "Apps and people reach it from anywhere, and see what you let them see."],
};
