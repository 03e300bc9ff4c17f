/** `freehold quota …`: how full pods are, and how much each may hold. */
import { OperatorError } from "../../errors.ts";
import { sizeInWords } from "../../ldp/quota.ts";
import { quotaOf } from "../../store/pods.ts";
import type { Usage } from "../../store/store.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** `5GiB`, `1.5 GB`, `1000000`. @returns bytes. @throws OperatorError for anything else. */
function parseSize(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,15}(?:\.\d{1,3})?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit.toLowerCase().replace(/^b$/, "")] ?? Number.NaN));
  if (number === "" || !Number.isSafeInteger(bytes))
    throw new OperatorError(`${text} is no size. Say it like 5GiB, 500MB or 1000000.`);
  return bytes;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count))
    throw new OperatorError(`${text} is no number of documents and folders.`);
  return count;
}

const inWords = (used: Usage, quota: Usage): string =>
  `${sizeInWords(used.bytes)} of ${sizeInWords(quota.bytes)}, ${used.resources} of ${quota.resources} documents and folders`;

export const quotaShow: Task = {
  name: "quota show",
  usage: "[pod]",
  about: "Show how full a pod is, or every pod",
  async run(context, { args: [name] }) {
    const { pods, store, config, ldp } = context;
    if (name !== undefined) {
      const pod = await podNamed(context, name);
      const { quota, trash, versions, ...used } = await ldp.quota.usage(pod);
      const lines = [
        `${name}: ${inWords(used, quota)}${pod.quota ? "" : " (the default)"}`,
        `of which trash ${sizeInWords(trash)}, earlier versions ${sizeInWords(versions)}`,
      ];
      return { lines, exit: 0 };
    }
    const lines: string[] = [];
    for (const pod of await pods.list()) {
      if (pod.erased !== undefined) continue;
      lines.push(`${pod.name}: ${inWords(await store.usage(pod.id), quotaOf(pod, config.limits))}`);
    }
    return { lines: lines.length > 0 ? lines : ["There are no pods"], exit: 0 };
  },
};

export const quotaSet: Task = {
  name: "quota set",
  usage: "<pod> <size>",
  about: 'Set how much a pod may hold, such as 5GiB; "default" for what the server gives everybody',
  flags: { resources: { about: "How many documents and folders it may hold", takesValue: true } },
  async run(context, { args: [name = "", size = ""], flags }) {
    const pod = await podNamed(context, name);
    const { limits } = context.config;
    const resources = flags["resources"];
    const quota =
      size === "default"
        ? undefined
        : {
            bytes: parseSize(size),
            resources: typeof resources === "string" ? parseCount(resources) : quotaOf(pod, limits).resources,
          };
    const changed = await context.pods.change(pod.name, { quota });
    return {
      lines: [`${name}: ${inWords(await context.store.usage(pod.id), quotaOf(changed, limits))}`],
      exit: 0,
    };
  },
};

export const quotaRecount: Task = {
  name: "quota recount",
  usage: "<pod>",
  about: "Count anew what a pod holds, and mend its counter",
  async run(context, { args: [name = ""] }) {
    const { before, after } = await context.ldp.quota.recount(await podNamed(context, name));
    const isRight = before.bytes === after.bytes && before.resources === after.resources;
    const found = `${after.bytes} bytes in ${after.resources} documents and folders`;
    const lines = [
      isRight
        ? `${name}: ${found}, as counted`
        : `${name}: ${found}; the counter said ${before.bytes} bytes in ${before.resources}, and is mended`,
    ];
    return { lines, exit: 0 };
  },
};
