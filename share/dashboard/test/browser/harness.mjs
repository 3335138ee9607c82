// A browser and a stand-in for the daemon. Every page that is opened fails its test when the console shows an error.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Model } from "../../mock/model.mjs";
import { MockServer } from "../../mock/server.mjs";

/** Where packages may be: here after `npm ci`, otherwise in the folder of peers of the daemon's tests. */
const HOMES = [import.meta.url, ...(process.env.HEKA_PEERS ? [path.join(process.env.HEKA_PEERS, "node", "x")] : [])];

/** The file that a package's name stands for, if the package is anywhere. */
function resolve(name) {
  for (const home of HOMES) {
    try {
      return createRequire(home).resolve(name);
    } catch {
      // The next place may have it.
    }
  }
  return undefined;
}

const { chromium } = createRequire(import.meta.url)(resolve("playwright-core") ?? "playwright-core");
const axePath = resolve("axe-core/axe.min.js");
const axe = axePath && (await readFile(axePath, "utf8"));

/** Nothing but the page itself: no sandbox inside a container, no requests of the browser's own. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const DESK = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };
/** How long to wait for something that must happen; long, because test machines are busy. */
export const PATIENCE = 30_000;

/** Every page of the demonstration, by name. */
export const PAGES = {
  health: "#health",
  dataflow: "#dataflow",
  "dataflow, all operators": "#dataflow?view=all",
  "dataflow, a node": "#dataflow?node=output+elasticsearch",
  plugin: "#plugins/filters/HTTPStatus",
  sandboxes: "#sandboxes",
  "outputs of a filter": "#sandboxes/FxaLatency",
  graph: "#sandboxes/HTTPStatus/outputs/HTTPStatus.HTTPStatus.cbuf",
  "stacked graph": "#sandboxes/HostLoad/outputs/HostLoad.Load1MinAvg.cbuf",
  text: "#sandboxes/HTTPStatus/outputs/HTTPStatus..txt",
  tree: "#sandboxes/HTTPStatus/outputs/HTTPStatus.messageschema.json",
  table: "#sandboxes/FxaLatency/outputs/FxaLatency.slowrequests.tsv",
  embed: "#sandboxes/HTTPStatus/outputs/HTTPStatus.HTTPStatus.cbuf/embed",
  terminations: "#termination_report",
  "no such page": "#nowhere",
  "no such plugin": "#plugins/filters/gone",
  "no such output": "#sandboxes/gone/outputs/gone.x.cbuf",
};

/** Starts a browser; `open` gives pages of it. */
export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    /** A page at `server` and `route`, ready when its heading is there. `problems` holds what went wrong in it. */
    async open(
      server,
      route,
      { viewport = DESK, theme = "light", touch = false, ready = "#main h1, .embed > *" } = {},
    ) {
      const context = await browser.newContext({
        viewport,
        colorScheme: theme,
        hasTouch: touch,
        acceptDownloads: true,
      });
      if (axe) await context.addInitScript(axe);
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE);
      const problems = [];
      page.on("console", (message) => {
        // The browser itself reports documents that are not there; the page shows that in its own way.
        if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
          problems.push(message.text());
        if (message.type() === "warning" && /Content Security Policy/.test(message.text()))
          problems.push(message.text());
      });
      page.on("pageerror", (error) => problems.push(String(error.stack)));
      page.on("dialog", (dialog) => {
        problems.push(`A dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.goto(server.url + route);
      await page.waitForSelector(ready);
      return { page, problems, close: () => context.close() };
    },
    close: () => browser.close(),
  };
}

/** The demonstration's daemon; `step` moves it on. */
export async function startDemo() {
  const server = await new MockServer().start();
  const model = new Model();
  model.publish(server);
  const step = (seconds = 5) => {
    model.step(seconds);
    model.publish(server);
  };
  return { server, model, step, stop: () => server.stop() };
}

/** Waits until `probe` gives something true, and returns that. */
export async function until(probe, what) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (Date.now() > end) assert.fail(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the canvas of the graph shows, as a number that changes with it. */
export function picture(page) {
  return page.evaluate(() => {
    const canvas = document.querySelector(".chart canvas");
    if (!canvas) return 0;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let hash = 0;
    for (let i = 0; i < data.length; i += 1) hash = (Math.imul(hash, 31) + data[i]) | 0;
    return hash;
  });
}
