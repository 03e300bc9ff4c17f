/** The files in docker/ that no program here can run: well formed, and about settings and files that there are. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { SETTINGS } from "../../server/config.ts";
import { parseYaml, type Yaml } from "./yaml.ts";

const DOCKER = join(import.meta.dirname, "../../docker");
const readText = (name: string): string => readFileSync(join(DOCKER, name), "utf8");
const files = readdirSync(DOCKER).filter((name) => name !== "secrets");
const yaml = files.filter((name) => name.endsWith(".yaml"));

type Json = Readonly<Record<string, Yaml>>;
const at = (value: Yaml | undefined, ...path: readonly string[]): Yaml | undefined =>
  path.reduce<Yaml | undefined>((inside, name) => (inside as Json | null | undefined)?.[name], value);

/** As Compose puts several files together: maps by their members, lists one after the other, the later value otherwise. */
function merged(first: Yaml | undefined, second: Yaml): Yaml {
  if (first === undefined || first === null || typeof first === "string") return second;
  if (Array.isArray(first) && Array.isArray(second)) return [...first, ...second];
  if (typeof second !== "object" || second === null || Array.isArray(second) || Array.isArray(first))
    return second;
  const together: Record<string, Yaml> = { ...(first as Json) };
  for (const [name, value] of Object.entries(second)) together[name] = merged(together[name], value);
  return together;
}

const isSetting = (name: string): boolean => {
  const setting = (SETTINGS as Readonly<Record<string, { readonly isSecret?: boolean }>>)[name];
  const secret = (SETTINGS as Readonly<Record<string, { readonly isSecret?: boolean }>>)[
    name.replace(/_FILE$/, "")
  ];
  return setting !== undefined || (name.endsWith("_FILE") && secret?.isSecret === true);
};

describe("the files for containers, proxies and services", () => {
  it("name no setting that the server does not have", () => {
    const unknown = files.flatMap((name) =>
      [...readText(name).matchAll(/\bFREEHOLD_[A-Z_]+\b/g)]
        .map(([setting]) => setting)
        .filter((setting) => !isSetting(setting))
        .map((setting) => `${name}: ${setting}`),
    );
    expect(unknown).to.deep.equal([]);
  });

  for (const name of yaml) {
    it(`${name} is well formed`, () => {
      expect(parseYaml(readText(name))).to.be.an("object");
    });
  }

  const refused: readonly (readonly [what: string, text: string])[] = [
    ["one name twice", "a: 1\na: 2\n"],
    ["a tab", "a:\n\tb: 1\n"],
    ["a value that goes on further in", "a: 1\n  b: 2\n"],
    ["a line between two indentations", "a:\n    b: 1\n  c: 2\n"],
    ["a port without quotes", "a:\n  - 80:80\n"],
    ["a word that may be true", "a: on\n"],
    ["a quote that does not end", 'a: "b\n'],
    ["text that is neither", "a: 1\nb\n"],
  ];
  for (const [what, text] of refused) {
    it(`would be refused with ${what}`, () => {
      expect(() => parseYaml(text)).to.throw();
    });
  }

  it("read as YAML reads them", () => {
    const text =
      'a: 1 # one\nb:\n  - x: "y: z"\n    w: http://a:1/#b\n  - plain text\nc: [p, "q, r"]\nd:\ne: ${A:?the name, such as b}/\n';
    expect(parseYaml(text)).to.deep.equal({
      a: "1",
      b: [{ x: "y: z", w: "http://a:1/#b" }, "plain text"],
      c: ["p", "q, r"],
      d: null,
      e: "${A:?the name, such as b}/",
    });
  });

  for (const overlays of [
    ["compose.tls.yaml"],
    ["compose.postgres.yaml"],
    ["compose.tls.yaml", "compose.postgres.yaml"],
  ]) {
    describe(`compose.yaml with ${overlays.join(" and ")}`, () => {
      const all = ["compose.yaml", ...overlays].map((name) => parseYaml(readText(name)));
      const whole = all.reduce((first, second) => merged(first, second));
      const services = Object.entries(at(whole, "services") as Json);

      it("uses no volume, secret or service that it does not describe, and no file that is not there", () => {
        const volumes = Object.keys((at(whole, "volumes") ?? {}) as Json);
        const secrets = Object.keys((at(whole, "secrets") ?? {}) as Json);
        for (const [service, description] of services) {
          for (const mount of (at(description, "volumes") ?? []) as readonly string[]) {
            const [from = ""] = mount.split(":");
            if (from.startsWith("./"))
              expect(existsSync(join(DOCKER, from)), `${service}: ${from}`).to.equal(true);
            else expect(volumes, service).to.include(from);
          }
          for (const secret of (at(description, "secrets") ?? []) as readonly string[])
            expect(secrets, service).to.include(secret);
          for (const needed of Object.keys((at(description, "depends_on") ?? {}) as Json))
            expect(
              services.map(([name]) => name),
              service,
            ).to.include(needed);
        }
      });

      it("gives nobody more rights than they need", () => {
        for (const [service, description] of services)
          expect(at(description, "security_opt"), service).to.include("no-new-privileges:true");
        const { freehold } = Object.fromEntries(services);
        expect([at(freehold, "read_only"), at(freehold, "cap_drop")]).to.deep.equal(["true", ["ALL"]]);
        expect(at(freehold, "ports")).to.deep.equal(["127.0.0.1:3000:3000"]);
      });
    });
  }

  it("trust the proxy at the address that it has", () => {
    const tls = parseYaml(readText("compose.tls.yaml"));
    expect(at(tls, "services", "freehold", "environment", "FREEHOLD_TRUST_PROXY")).to.equal(
      at(tls, "services", "caddy", "networks", "default", "ipv4_address"),
    );
  });

  it("let proxies leave an idle connection before the server does, put a limit to no body, and hold nothing back", () => {
    expect(readText("nginx.conf")).to.match(/keepalive_timeout 4s;/);
    expect(readText("Caddyfile")).to.match(/keepalive 4s/);
    expect(
      at(parseYaml(readText("traefik.yaml")), "http", "serversTransports", "freehold", "forwardingTimeouts"),
    ).to.deep.equal({
      idleConnTimeout: "4s",
    });
    for (const line of ["client_max_body_size 0;", "proxy_buffering off;", "proxy_request_buffering off;"])
      expect(readText("nginx.conf")).to.include(line);
    expect(readText("Caddyfile")).to.not.match(/request_body|max_size|encode/);
    expect(readText("traefik.yaml")).to.not.match(/^\s*(?:middlewares|buffering|compress):/m);
  });
});
