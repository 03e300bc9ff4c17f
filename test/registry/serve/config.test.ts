/** `registry.json` is read strictly, and what is wrong with it is said in words. */
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  loadRegistryConfig,
  readRegistryConfig,
  writeRegistryConfig,
} from "../../../server/cli/registry/config.ts";
import { ConfigError } from "../../../server/config.ts";
import { OperatorError } from "../../../server/errors.ts";
import { LIMITS } from "../../../server/limits.ts";

const LEAST = { zone: "zz", operator: "Somebody" };
const read = (fields: unknown) =>
  readRegistryConfig(typeof fields === "string" ? fields : JSON.stringify(fields), "/registry");

describe("registry.json", () => {
  it("needs no more than a zone and who runs it", async () => {
    expect(await read(LEAST)).to.deep.equal({
      folder: "/registry",
      ...LEAST,
      url: null,
      host: "127.0.0.1",
      port: 4100,
      kind: "private",
      origin: null,
      policy: [],
      legalKeys: [],
      escrow: null,
      mirrors: [],
      root: null,
      store: "sqlite",
      epochMs: 200,
      allow: [],
      trustProxy: ["loopback"],
      limits: LIMITS,
    });
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["no JSON", "zone: zz", /is not JSON as it must be/],
    ["a name twice", '{"zone":"zz","zone":"ch","operator":"x"}', /is not JSON as it must be/],
    ["a list", [], /wants a JSON object/],
    ["a field nobody knows", { ...LEAST, ports: 1 }, /ports is no field; the fields are .*port/],
    ["no zone", { operator: "x" }, /zone wants two characters/],
    ["a zone of three letters", { ...LEAST, zone: "che" }, /zone wants two characters/],
    ["no operator", { zone: "zz" }, /operator wants a text/],
    ["an empty operator", { ...LEAST, operator: " " }, /operator wants a text/],
    ["a port beyond all ports", { ...LEAST, port: 70_000 }, /port wants a whole number from 0 to 65535/],
    ["a port as a text", { ...LEAST, port: "80" }, /port wants a whole number/],
    [
      "an address without a slash",
      { ...LEAST, url: "https://r.example/x" },
      /url wants an http\(s\) address that ends in a slash/,
    ],
    ["an address with a password", { ...LEAST, url: "https://a:b@r.example/" }, /url wants/],
    ["an address of another kind", { ...LEAST, root: "file:///etc/" }, /root wants/],
    ["an origin that is an address", { ...LEAST, allow: ["http://127.0.0.1:4000/x"] }, /allow wants origins/],
    ["a kind nobody knows", { ...LEAST, kind: "planet" }, /kind wants one of country, neutral, private/],
    ["a key that is none", { ...LEAST, legalKeys: ["z6Mk"] }, /legalKeys wants public keys/],
    ["a policy that is none", { ...LEAST, policy: ["quorum nobody"] }, /policy is not one: .*Line 1/],
    ["a limit nobody knows", { ...LEAST, limits: { speed: 1 } }, /limits knows no limit called speed/],
    [
      "a limit that is none",
      { ...LEAST, limits: { listenersMax: 0 } },
      /limits wants listenersMax to be a whole number/,
    ],
    ["a store that is none", { ...LEAST, store: "mysql://x" }, /store wants sqlite, or postgres/],
    ["__proto__", '{"zone":"zz","operator":"x","__proto__":{"port":1}}', /is not JSON as it must be/],
  ];
  for (const [name, fields, says] of wrong) {
    it(`with ${name} is refused, and named`, async () => {
      const error = await read(fields).catch((cause: unknown) => cause);
      expect(error).to.be.instanceOf(ConfigError);
      expect((error as ConfigError).message)
        .to.match(says)
        .and.match(/^\/registry\/registry\.json/);
    });
  }

  describe("in a folder", () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "freehold-registry-"));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it("is written for its owner alone, and never over another", async () => {
      const place = join(folder, "zone");
      const config = await writeRegistryConfig(place, LEAST);
      expect((await stat(join(place, "registry.json"))).mode & 0o777).to.equal(0o600);
      expect(await loadRegistryConfig(place)).to.deep.equal(config);
      const again = await writeRegistryConfig(place, { ...LEAST, zone: "ch" }).catch(
        (cause: unknown) => cause,
      );
      expect(again).to.be.instanceOf(OperatorError);
      expect((await loadRegistryConfig(place)).zone).to.equal("zz");
    });

    it("that has a password is not read while others may read it, too", async () => {
      const place = join(folder, "database");
      await writeRegistryConfig(place, { ...LEAST, store: "postgres://freehold:hunter2@db.example/zz" });
      expect((await loadRegistryConfig(place)).zone).to.equal("zz");
      await chmod(join(place, "registry.json"), 0o640);
      const error = await loadRegistryConfig(place).catch((cause: unknown) => cause);
      expect((error as OperatorError).message)
        .to.contain(`chmod 600 ${join(place, "registry.json")}`)
        .and.not.contain("hunter2");
    });

    it("that is missing says how to make one", async () => {
      const error = await loadRegistryConfig(join(folder, "nothing")).catch((cause: unknown) => cause);
      expect((error as OperatorError).message).to.contain("freehold registry init");
    });
  });
});
