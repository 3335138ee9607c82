// The page on the real daemon: $HEKAD names its binary. `cargo test --test dashboard` runs this with the one it built.
// Pictures of every page go to $SCREENSHOTS, if that is set.

import assert from "node:assert/strict";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { DESK, PHONE, picture, startBrowser, until } from "./harness.mjs";
import { startHekad } from "./hekad.mjs";

const skip = process.env.HEKAD ? false : "HEKAD does not name a binary of the daemon";
const shots = process.env.SCREENSHOTS;

const GRAPH = "#sandboxes/traffic/outputs/traffic.Traffic.cbuf";
const PAGES = {
  health: "#health",
  dataflow: "#dataflow",
  "dataflow-all": "#dataflow?view=all",
  "dataflow-node": "#dataflow?node=output+copy",
  input: "#plugins/inputs/LogstreamerInput",
  splitter: "#plugins/splitters/LogstreamerInput-TokenSplitter",
  filter: "#plugins/filters/traffic",
  encoder: "#plugins/encoders/copy-PayloadEncoder",
  output: "#plugins/outputs/dashboard",
  sandboxes: "#sandboxes",
  outputs: "#sandboxes/traffic",
  graph: GRAPH,
  embed: `${GRAPH}/embed`,
  text: "#sandboxes/traffic/outputs/traffic.Note.html",
  terminations: "#termination_report",
};

let browser, hekad, opened;
before(async () => {
  if (!skip) [browser, hekad] = await Promise.all([startBrowser(), startHekad()]);
});
afterEach(async () => {
  const { problems = [], close } = opened ?? {};
  opened = undefined;
  await close?.();
  assert.deepEqual(problems, []);
});
after(async () => {
  await browser?.close();
  if (hekad) assert.equal(await hekad.stop(), 0);
});

async function open(route, options) {
  opened = await browser.open(hekad.server, route, options);
  return opened.page;
}

for (const [name, route] of Object.entries(PAGES)) {
  for (const viewport of [DESK, PHONE]) {
    test(`${name}, ${viewport.width} px`, { skip }, async () => {
      const page = await open(route, { viewport });
      await page.waitForFunction(() => !document.querySelector(".spinner"));
      const text = await page.textContent("body");
      assert.doesNotMatch(text, /not found|Waiting for|cannot be reached|undefined|NaN/, text);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${width} px are wider than ${viewport.width}`);
      assert.equal(await page.evaluate(() => window.__hit), undefined);
      if (shots) {
        // Two samples make a rate.
        await page.waitForTimeout(3000);
        await page.screenshot({ path: path.join(shots, `${name}-${viewport.width}.png`), fullPage: true });
      }
    });
  }
}

test("the page is live, and its figures are the daemon's", { skip }, async () => {
  const page = await open("#health");
  await page.locator(".live", { hasText: "Live" }).waitFor();
  const total = () => page.textContent(".figure-value");
  const before = await total();
  await until(async () => (await total()) !== before, "the figure changes");
  await page.locator(".rate-text >> nth=0").waitFor();
});

test("the dataflow has rates on its edges", { skip }, async () => {
  const page = await open("#dataflow");
  await until(async () => /\d.*\/s/.test(await page.textContent("main")), "a rate");
  assert.match(await page.textContent("main"), /copy/);
});

test("the graph moves, shows its annotation, zooms, and hides a series", { skip }, async () => {
  const page = await open(GRAPH, { ready: ".chart canvas" });
  const first = await picture(page);
  await until(async () => (await picture(page)) !== first, "new data moves it");
  await page.waitForSelector(".flag-sign >> text=A");
  const box = await page.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 110, { steps: 5 });
  await page.mouse.up();
  await until(async () => /from=\d+&to=\d+/.test(await page.evaluate(() => location.hash)), "the range is in the link");
  await page.mouse.dblclick(box.x + box.width * 0.5, box.y + 100);
  await until(async () => !/from=/.test(await page.evaluate(() => location.hash)), "everything is shown again");
  await page.getByRole("checkbox", { name: /Errors/ }).uncheck();
  await until(async () => /hide=2/.test(await page.evaluate(() => location.hash)), "the series is hidden");
});

test("a text is shown literally, whatever it calls itself", { skip }, async () => {
  const page = await open(PAGES.text);
  await page.locator(".payload", { hasText: "<script>window.__hit = 1</script>" }).waitFor();
  const raw = await fetch(`${hekad.server.url}data/traffic.Note.html`);
  assert.equal(raw.headers.get("content-type"), "text/plain; charset=utf-8");
});

test("a filter that ends leaves the list and is on record at once", { skip }, async () => {
  const page = await open("#termination_report");
  await page.waitForSelector("text=No plugins have been terminated");
  await hekad.say("end");
  await page.waitForSelector("tbody tr >> text=dies");
  await page.waitForSelector("text=was the last");
  assert.equal(await page.evaluate(() => window.__hit), undefined);
  if (shots) await page.screenshot({ path: path.join(shots, "terminated.png"), fullPage: true });
});
