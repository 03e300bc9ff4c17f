/** All that `freehold doctor` and the page of diagnostics look at, in the order in which a person would. */
import type { Context } from "../../context.ts";
import { type Finding, reportText } from "./finding.ts";
import { lookInside } from "./inside.ts";
import { judge, type Seen } from "./judge.ts";
import { lookAtMachine } from "./machine.ts";
import { knock, lookFromHere } from "./reach.ts";

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** To be shown to anybody. */
  readonly report: string;
}

export interface Asked {
  /** What a browser saw of the way here; null: the server asks its own address. */
  readonly seen: Seen | null;
  /** Of the device that asks, milliseconds since 1970; null where there is none. */
  readonly deviceTime: number | null;
  /** A host whose clock is believed; null: that of the registry alone. */
  readonly clockUrl: string | null;
}

/** No page is told when a certificate ends, so the server looks; null where it cannot. */
async function certificateEnds(baseUrl: string): Promise<number | null> {
  if (!baseUrl.startsWith("https:")) return null;
  return knock(baseUrl).then(
    (answer) => answer.certificateEnds,
    () => null,
  );
}

export async function diagnose(context: Context, { seen, deviceTime, clockUrl }: Asked): Promise<Diagnosis> {
  const { config, pods, probes, now } = context;
  const pod = (await pods.list()).find(
    ({ erased, movedTo }) => erased === undefined && movedTo === undefined,
  );
  const way = seen
    ? { ...seen, certificateEnds: await certificateEnds(config.baseUrl) }
    : await lookFromHere(config.baseUrl, probes, pod?.name ?? null);
  const findings = [
    ...judge(config, way, now().getTime()),
    ...(await lookInside(
      context,
      deviceTime === null ? [] : [{ name: "device", date: deviceTime }],
      clockUrl,
    )),
    ...(await lookAtMachine(config)),
  ];
  return { findings, report: reportText(findings, config) };
}
