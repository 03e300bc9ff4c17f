/**
 * Prepared bytes: `node bare.ts PORT ANSWERS.json [express]`. Bare `node:http` is the floor that no server on Node gets
 * under; with a bare Express in front, the floor of what is built on that.
 */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import express from "express";

const [port = "0", file = "", behind = ""] = process.argv.slice(2);
const described = JSON.parse(readFileSync(file, "utf8")) as readonly {
  readonly path: string;
  readonly headers: string[];
  readonly file: string;
}[];
const answers = new Map(
  described.map(({ path, headers, file }) => [path, { headers, bytes: readFileSync(file) }]),
);

const answer: RequestListener = (request, response) => {
  const found = answers.get(request.url ?? "");
  if (request.method === "GET" && found) {
    response.writeHead(200, found.headers).end(found.bytes);
    return;
  }
  request.on("end", () =>
    response.writeHead(request.method === "GET" ? 404 : 201, { "content-length": "0" }).end(),
  );
  request.resume();
};

function behindExpress(): RequestListener {
  const app = express();
  app.disable("x-powered-by");
  app.all("/{*path}", answer);
  return app;
}

createServer(behind === "express" ? behindExpress() : answer).listen(Number(port), "127.0.0.1");
