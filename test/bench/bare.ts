/** Bare `node:http` with prepared bytes: `node bare.ts PORT ANSWERS.json`. The floor that no server on Node gets under. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [port = "0", file = ""] = process.argv.slice(2);
const described = JSON.parse(readFileSync(file, "utf8")) as readonly {
  readonly path: string;
  readonly headers: string[];
  readonly file: string;
}[];
const answers = new Map(
  described.map(({ path, headers, file }) => [path, { headers, bytes: readFileSync(file) }]),
);

createServer((request, response) => {
  const answer = answers.get(request.url ?? "");
  if (request.method === "GET" && answer) {
    response.writeHead(200, answer.headers).end(answer.bytes);
    return;
  }
  request.on("end", () =>
    response.writeHead(request.method === "GET" ? 404 : 201, { "content-length": "0" }).end(),
  );
  request.resume();
}).listen(Number(port), "127.0.0.1");
