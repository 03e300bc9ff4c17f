/** How this browser shows the pages: light or dark, and how days are written. It stays on this device. */

export type Light = "system" | "light" | "dark";

/** What `Intl` calls them; each with how it looks in the list is for whoever shows it. */
export const REGIONS = ["en-GB", "en-US", "en-CA", "de-CH"] as const;
export type Region = (typeof REGIONS)[number];

const LIGHT = "freehold.light";
const REGION = "freehold.region";

/** Browsers may refuse to keep anything, and tests of words have no browser at all. */
function kept(key: string): string | null {
  if (typeof document === "undefined") return null;
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string, fallback: string): void {
  try {
    if (value === fallback) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // It holds until the page is closed.
  }
}

export function lightNow(): Light {
  const light = kept(LIGHT);
  return light === "light" || light === "dark" ? light : "system";
}

export const regionNow = (): Region => REGIONS.find((region) => region === kept(REGION)) ?? "en-GB";

export function showLight(light: Light = lightNow()): void {
  document.documentElement.style.colorScheme = light === "system" ? "" : light;
}

export function chooseLight(light: Light): void {
  keep(LIGHT, light, "system");
  showLight(light);
}

export const chooseRegion = (region: Region): void => keep(REGION, region, "en-GB");
