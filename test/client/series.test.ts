import { type Observation, observations, openPod, type Pod, record, summarise } from "@freehold/client";
import { expect } from "chai";
import { startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

describe("time series, by the client", () => {
  let server: TestServer;
  let pod: Pod;
  let stranger: Pod;
  const START = Date.UTC(2026, 0, 31, 12);
  const minutes = (count: number): Observation[] =>
    Array.from({ length: count }, (_, at) => ({
      time: new Date(START + at * 60_000),
      value: at / 10,
      sensor: "urn:meter:1",
      property: "urn:power",
    }));

  before(async () => {
    server = await startServer();
    const [ana, bea] = [await server.person("Ana"), await server.person("Bea")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
    stranger = await openPod(ana.pod, { fetch: bea.fetch });
  });
  after(() => server.close());

  it("go in by the batch, also when nobody knows what arrived before", async () => {
    expect(await record(pod, "house/power", minutes(1_000))).to.deep.equal({ stored: 1_000, repeated: 0 });
    expect(await record(pod, "house/power/", minutes(1_500))).to.deep.equal({ stored: 500, repeated: 1_000 });
    expect(await record(pod, "house/power", [])).to.deep.equal({ stored: 0, repeated: 0 });
  });

  it("go in as they come, and can be called off", async () => {
    async function* some(): AsyncGenerator<Observation> {
      yield* minutes(3);
    }
    expect(await record(pod, "garden/power", some())).to.deep.equal({ stored: 3, repeated: 0 });
    const off = record(pod, "garden/power", minutes(4), { signal: AbortSignal.abort() });
    expect(await off.catch((error: Error) => error.name)).to.equal("AbortError");
    expect(await Array.fromAsync(observations(pod, "garden/power"))).to.have.length(3);
  });

  it("are no half answers", async () => {
    const line = '{"time":"2026-01-31T12:00:00Z","value":1}';
    for (const [text, breaksOff] of [
      [line, false],
      [`${line}\n`, true],
      ["<html>\n", false],
    ] as const) {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
        pull: (controller) =>
          breaksOff ? controller.error(new TypeError("terminated")) : controller.close(),
      });
      const broken: Pod = { ...pod, fetch: async () => new Response(body) };
      expect(await codeOf(Array.fromAsync(observations(broken, "house/power"))), text).to.equal("answer-invalid"); // biome-ignore format: one line
    }
  });

  it("come out by time, as they went in", async () => {
    const all = await Array.fromAsync(observations(pod, "house/power"));
    expect(all.map(({ time, ...rest }) => ({ ...rest, time: new Date(time) }))).to.deep.equal(minutes(1_500));
    const some = await Array.fromAsync(
      observations(pod, "house/power", {
        from: "2026-02-01T00:00:00Z",
        to: new Date(Date.UTC(2026, 1, 1, 1)),
      }),
    );
    expect(some).to.have.length(60);
    expect(await Array.fromAsync(observations(pod, "house/power", { sensor: "urn:meter:2" }))).to.deep.equal(
      [],
    );
  });

  it("come out by the hour", async () => {
    const [first, ...rest] = await summarise(pod, "house/power", "PT1H", { to: "2026-01-31T14:00:00Z" });
    expect(first).to.include({ time: "2026-01-31T12:00:00Z", count: 60, min: 0, max: 5.9 });
    expect(rest).to.have.length(1);
  });

  it("tell the server's reason", async () => {
    expect(await codeOf(record(pod, "house/power", [{ ...minutes(1)[0]!, value: Number.NaN }]))).to.equal("shape-violation"); // biome-ignore format: one line
    expect(await codeOf(record(pod, "house/power", [{ ...minutes(1)[0]!, value: 7 }]))).to.equal("conflict");
    expect(await codeOf(record(stranger, "house/power", minutes(1)))).to.equal("forbidden");
    expect(await codeOf(Array.fromAsync(observations(stranger, "house/power")))).to.equal("forbidden");
    expect(await codeOf(summarise(pod, "house/power", "an hour"))).to.equal("bad-request");
    expect(await codeOf(record(pod, "https://elsewhere.example/", minutes(1)))).to.equal("input-invalid");
  });
});
