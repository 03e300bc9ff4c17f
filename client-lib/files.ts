/** Documents and folders through @inrupt/solid-client, loaded on first use; its errors become ours, with the server's reason. */
import {
  deleteContainer,
  deleteFile,
  getContainedResourceUrlAll,
  getFile,
  getSolidDataset,
  overwriteFile,
  type SolidDataset,
  saveSolidDatasetAt,
} from "@inrupt/solid-client";
import { errorOf, type Fetch, FreeholdError } from "./errors.ts";
import type { Dataset } from "./pod.ts";

type PlatformFetch = typeof globalThis.fetch;

const addressOf = (input: Parameters<PlatformFetch>[0]): string => {
  if (typeof input === "string") return input;
  return input instanceof URL ? input.href : input.url;
};

/** That library throws its own errors, which have read the answer but do not tell all of it: so it is read here, too. */
async function through<T>(fetch: Fetch, url: string, work: (fetch: PlatformFetch) => Promise<T>): Promise<T> {
  let refused: FreeholdError | null = null;
  const listening: PlatformFetch = async (input, init) => {
    const response = await fetch(addressOf(input), init);
    if (!response.ok) refused = await errorOf(response.clone());
    return response;
  };
  try {
    return await work(listening);
  } catch (cause) {
    if (cause instanceof FreeholdError) throw cause;
    const known = refused as FreeholdError | null;
    if (known) throw known;
    throw new FreeholdError("unreachable", "The server could not be reached or understood", {
      url,
      detail: (cause as Error).message,
      cause,
    });
  }
}

/**
 * Which version a dataset was read at: that library keeps the same description through all changes of a dataset, but no
 * ETag in it, so that the second of two writers would undo the first without a word.
 */
const versions = new WeakMap<object, string>();

/** Notes the version that an answer tells of. */
function noting(fetch: PlatformFetch, url: string, note: (etag: string | null) => void): PlatformFetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok && addressOf(input) === url) note(response.headers.get("etag"));
    return response;
  };
}

function remember(dataset: Dataset, etag: string | null): Dataset {
  if (etag !== null) versions.set(dataset.internal_resourceInfo, etag);
  return dataset;
}

/** @throws FreeholdError with the server's reason. */
export async function readDataset(fetch: Fetch, url: string): Promise<Dataset> {
  let version: string | null = null;
  const read = (own: PlatformFetch) =>
    getSolidDataset(url, { fetch: noting(own, url, (etag) => (version = etag)) });
  return remember(await through(fetch, url, read), version);
}

/** Writes only over the version that was read. @throws FreeholdError with the server's reason. */
export async function writeDataset(fetch: Fetch, url: string, dataset: SolidDataset): Promise<Dataset> {
  const known = versions.get((dataset as Partial<Dataset>).internal_resourceInfo ?? {});
  let version: string | null = null;
  const careful: Fetch = (address, init) => {
    const isChange = init?.method === "PATCH" || init?.method === "PUT";
    if (known === undefined || !isChange || address !== url) return fetch(address, init);
    const headers = new Headers(init.headers);
    headers.set("if-match", known);
    return fetch(address, { ...init, headers });
  };
  const write = async (own: PlatformFetch): Promise<Dataset> =>
    saveSolidDatasetAt(url, dataset, { fetch: noting(own, url, (etag) => (version = etag)) });
  return remember(await through(careful, url, write), version);
}

export const listFolder = (fetch: Fetch, url: string): Promise<readonly string[]> =>
  through(fetch, url, async (own) => getContainedResourceUrlAll(await getSolidDataset(url, { fetch: own })));

export const readBlob = (fetch: Fetch, url: string): Promise<Blob> =>
  through(fetch, url, (own) => getFile(url, { fetch: own }));

/** @throws FreeholdError with the server's reason. */
export async function writeBlob(
  fetch: Fetch,
  url: string,
  content: Blob | Uint8Array<ArrayBuffer> | string,
  contentType: string,
): Promise<void> {
  const blob = new Blob([content], { type: contentType });
  await through(fetch, url, (own) => overwriteFile(url, blob, { contentType, fetch: own }));
}

export const remove = (fetch: Fetch, url: string): Promise<void> =>
  through(fetch, url, (own) =>
    url.endsWith("/") ? deleteContainer(url, { fetch: own }) : deleteFile(url, { fetch: own }),
  );
