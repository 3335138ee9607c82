// The graph of a circular buffer: moves, zooms, toggles, annotates, exports, embeds.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, test } from "node:test";
import { MockServer } from "../../mock/server.mjs";
import { PAGES, PHONE, picture, startBrowser, startDemo, until } from "./harness.mjs";

let browser, demo, opened;
before(async () => {
  [browser, demo] = await Promise.all([startBrowser(), startDemo()]);
});
afterEach(async () => {
  const { problems = [], close } = opened ?? {};
  opened = undefined;
  await close?.();
  assert.deepEqual(problems, []);
});
after(async () => {
  await browser.close();
  await demo.stop();
});

async function open(route, options) {
  opened = await browser.open(demo.server, route, { ready: ".chart canvas", ...options });
  return opened.page;
}

const hash = (page) => page.evaluate(() => location.hash);

test("new data moves the graph", async () => {
  const page = await open(PAGES.graph);
  const first = await picture(page);
  demo.step(120);
  await until(async () => (await picture(page)) !== first, "the picture changes");
});

test("a new column appears without reloading, with its annotations and options", async () => {
  const server = await new MockServer().start();
  try {
    const text = (names, extras) =>
      `${extras}{"time":0,"rows":3,"columns":${names.length},"seconds_per_row":60,"column_info":${JSON.stringify(names.map((name) => ({ name, unit: "count", aggregation: "sum" })))}}\n` +
      `${[1, 2, 3].map((n) => names.map(() => n).join("\t")).join("\n")}\n`;
    server.set("F.x.cbuf", text(["one"], ""));
    opened = await browser.open(server, "#sandboxes/F/outputs/F.x.cbuf", { ready: ".chart canvas" });
    const { page } = opened;
    await page.waitForSelector("text=1 minute aggregation for the last 3 minutes");
    assert.equal(await page.locator(".legend tbody tr").count(), 1);
    server.set(
      "F.x.cbuf",
      text(["one", "two"], '{"annotations":[{"x":60000,"col":2,"shortText":"A","text":"odd"}]}\n'),
    );
    await page.waitForSelector(".legend >> text=two (count)");
    await page.waitForSelector(".flag-sign >> text=A");
    server.set("F.x.cbuf", "{half a fi");
    await page.waitForSelector("text=The graph shows what came before");
    assert.equal(await page.locator(".legend tbody tr").count(), 2, "the last good data stays");
  } finally {
    await server.stop();
  }
});

test("dragging zooms, double-clicking shows everything, and the link carries it", async () => {
  const page = await open(PAGES.graph);
  const whole = await picture(page);
  const box = await page.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 110, { steps: 5 });
  await page.mouse.up();
  await until(async () => /from=\d+&to=\d+/.test(await hash(page)), "the range is in the link");
  const zoomed = await hash(page);
  assert.notEqual(await picture(page), whole);

  const shared = await browser.open(demo.server, zoomed, { ready: ".chart canvas" });
  await shared.page.waitForFunction(() => /–/.test(document.querySelector(".range-text").textContent));
  await shared.close();

  await page.keyboard.down("Shift");
  await page.mouse.move(box.x + 400, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 500, box.y + 100, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await until(async () => (await hash(page)) !== zoomed, "shift-drag pans");

  await page.mouse.dblclick(box.x + 300, box.y + 100);
  await until(async () => !/from=/.test(await hash(page)), "everything is shown");
  await page.getByRole("button", { name: "Last 3h" }).click();
  assert.match(await hash(page), /range=3h/);
});

test("the legend toggles series, and the link carries that too", async () => {
  const page = await open(PAGES.graph);
  const before = await picture(page);
  await page.getByLabel("HTTP_200 (count)").uncheck();
  await until(async () => (await picture(page)) !== before, "the line goes");
  assert.match(await hash(page), /hide=1/);
  await page.reload();
  await page.waitForSelector(".chart canvas");
  assert.equal(await page.getByLabel("HTTP_200 (count)").isChecked(), false);
  await page.getByLabel("HTTP_200 (count)").check();
  assert.doesNotMatch(await hash(page), /hide/);
});

test("log scale", async () => {
  const page = await open(PAGES.graph);
  const before = await picture(page);
  await page.getByLabel("Log scale").check();
  await until(async () => (await picture(page)) !== before, "the scale changes");
  assert.match(await hash(page), /log=1/);
  await page.getByLabel("Log scale").uncheck();
});

test("annotations are flags with their text on hover and focus, and a list below", async () => {
  const page = await open(PAGES.graph);
  const flag = page.getByRole("button", { name: "Annotation A: detected anomaly, standard deviation exceeds 3" });
  await flag.focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Tab");
  await page.locator(".flag-text", { hasText: "standard deviation exceeds 3" }).waitFor({ state: "visible" });
  const first = page.locator(".notes li", { hasText: "detected anomaly, decreasing values" });
  await first.getByRole("button").click();
  await until(async () => /from=/.test(await hash(page)), "the list leads to the place");
});

test("hovering shows the values", async () => {
  const page = await open(PAGES.graph);
  await page.locator(".u-over").hover({ position: { x: 300, y: 100 } });
  await page.locator(".tooltip", { hasText: "HTTP_200" }).waitFor();
  await page.locator(".legend >> text=At cursor").waitFor();
});

test("the keyboard reads values, zooms, pans and resets", async () => {
  const page = await open(PAGES.graph);
  await page.locator(".chart-mount").focus();
  await page.keyboard.press("End");
  await page.waitForFunction(() =>
    /HTTP_200 \(count\) [\d,]+/.test(document.querySelector(".chart [aria-live]").textContent),
  );
  const spoken = await page.textContent(".chart [aria-live]");
  await page.keyboard.press("ArrowLeft");
  await until(async () => (await page.textContent(".chart [aria-live]")) !== spoken, "another value is read");
  await page.keyboard.press("+");
  await until(async () => /from=/.test(await hash(page)), "zooms");
  const zoomed = await hash(page);
  await page.keyboard.press("Shift+ArrowLeft");
  await until(async () => (await hash(page)) !== zoomed, "pans");
  await page.keyboard.press("0");
  await until(async () => !/from=/.test(await hash(page)), "resets");
});

test("CSV has every row", async () => {
  const page = await open(PAGES.graph);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "HTTPStatus.HTTPStatus.csv");
  const lines = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
  assert.equal(lines.length, 1441);
  assert.equal(
    lines[0],
    "time,HTTP_200 (count),HTTP_300 (count),HTTP_400 (count),HTTP_500 (count),HTTP_UNKNOWN (count)",
  );
});

test("the values are there as a table", async () => {
  const page = await open(PAGES.graph);
  await page.getByText("Values as a table").click();
  await page.waitForFunction(() => document.querySelectorAll('[aria-label="Values"] tbody tr').length === 100);
});

test("embedded graphs have no chrome, poll, and obey the switch in the query too", async () => {
  for (const route of [PAGES.embed, `?embed${PAGES.graph}`, `${PAGES.graph}?embed&hide=1`]) {
    const page = await open(route);
    assert.equal(await page.locator("header, nav, h1, footer").count(), 0, route);
    assert.equal(Math.round((await page.locator(".chart-mount").boundingBox()).height), 250);
    const seen = demo.server.requests.length;
    await until(
      () => demo.server.requests.slice(seen).some(({ headers }) => headers["if-none-match"]),
      "it asks again",
    );
    await until(() => demo.server.clients.size === 0, "no event stream");
    await opened.close();
  }
  opened = undefined;
});

test("fingers: on a phone the graph takes the width, and its legend can be pressed", async () => {
  const page = await open(PAGES.graph, { viewport: PHONE, touch: true });
  await page.getByLabel("HTTP_300 (count)").tap();
  await until(async () => /hide=2/.test(await hash(page)), "toggled");
});

test("graphs on one page share the time, and keep their legends", async () => {
  const page = await open(PAGES["outputs of a filter"]);
  await page.getByLabel("p50 (ms)").uncheck();
  await page.getByRole("button", { name: "Last 15m" }).click();
  await until(async () => /range=15m/.test(await hash(page)), "the range is in the link");
  assert.doesNotMatch(await hash(page), /hide/);
  assert.equal(await page.getByLabel("p50 (ms)").isChecked(), false);
  await page.getByLabel("p50 (ms)").check();
});

test("stacked and filled as its options say", async () => {
  const page = await open(PAGES["stacked graph"]);
  const before = await picture(page);
  await page.getByLabel("web_10 (load)").uncheck();
  await until(async () => (await picture(page)) !== before, "the rest moves down");
});
