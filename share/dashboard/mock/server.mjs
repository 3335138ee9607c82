// A stand-in for DashboardOutput: serves the built page, the data files and the events, as README.md has them.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const TEXT = "text/plain; charset=utf-8";

export const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/** Which event says that a document changed; everything else under data/ is an output. */
const EVENTS = {
  "data/heka_report.json": "report",
  "data/sandboxes.json": "sandboxes",
  "data/heka_sandbox_termination.tsv": "termination",
  "data/graph.json": "graph",
  "data/flow.json": "flow",
};

const PING_MS = 15_000;

/** A server on a free port of the loopback (or on `port`). */
export class MockServer {
  files = new Map();
  clients = new Set();
  sockets = new Set();
  requests = [];
  /** Switches for tests: without events they answer 404, broken means that every request is cut off. */
  events = true;
  broken = false;

  async start(port = 0) {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    await new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(port, "127.0.0.1", resolve);
    });
    this.pings = setInterval(
      () => this.clients.forEach((client) => client.write("event: ping\ndata: {}\n\n")),
      PING_MS,
    );
    this.url = `http://127.0.0.1:${this.server.address().port}/`;
    return this;
  }

  async stop() {
    clearInterval(this.pings);
    this.dropEvents();
    await new Promise((resolve) => {
      this.server.close(resolve);
      for (const socket of this.sockets) socket.destroy();
    });
  }

  /** Writes `data/<name>` and tells everybody. */
  set(name, text) {
    const key = `data/${name}`;
    const version = createHash("sha256").update(text).digest("hex").slice(0, 16);
    if (this.files.get(key)?.version === version) return;
    this.files.set(key, { text, version });
    for (const client of this.clients) client.write(eventOf(key, version));
  }

  /** Removes `data/<name>`. */
  remove(name) {
    this.files.delete(`data/${name}`);
  }

  /** Ends all event streams. */
  dropEvents() {
    for (const client of this.clients) client.end();
    this.clients.clear();
  }

  async answer(request, response) {
    const url = new URL(request.url, "http://localhost");
    const name = decodeURIComponent(url.pathname).slice(1);
    this.requests.push({ name, headers: request.headers });
    if (this.broken) {
      request.socket.destroy();
      return;
    }
    for (const [header, value] of Object.entries(HEADERS)) response.setHeader(header, value);
    if (name === "events") {
      this.stream(response);
    } else if (name.startsWith("data/")) {
      this.sendData(name, request, response);
    } else {
      await this.sendAsset(name || "index.html", response);
    }
  }

  stream(response) {
    if (!this.events) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    for (const [key, { version }] of this.files) response.write(eventOf(key, version));
    response.write("event: ping\ndata: {}\n\n");
    this.clients.add(response);
    response.on("close", () => this.clients.delete(response));
  }

  sendData(name, request, response) {
    const file = this.files.get(name);
    if (!file) {
      response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("Not found\n");
      return;
    }
    const tag = `"${file.version}"`;
    response.setHeader("ETag", tag);
    response.setHeader("Cache-Control", "no-cache");
    response.setHeader("Content-Type", name in EVENTS && name.endsWith(".json") ? "application/json" : TEXT);
    if (request.headers["if-none-match"] === tag) response.writeHead(304).end();
    else response.end(file.text);
  }

  async sendAsset(name, response) {
    const file = path.join(root, "dist", path.normalize(`/${name}`));
    try {
      const bytes = await readFile(file);
      response.setHeader("Content-Type", TYPES[path.extname(file)] ?? TEXT);
      response.end(bytes);
    } catch {
      response.writeHead(404).end("Not found\n");
    }
  }
}

function eventOf(key, version) {
  const event = EVENTS[key];
  const data = event ? { version } : { file: key, version };
  return `event: ${event ?? "output"}\ndata: ${JSON.stringify(data)}\n\n`;
}
