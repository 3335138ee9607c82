// Everything can be reached and used without a mouse; the dataflow too.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { PHONE, startBrowser, startDemo, until } from "./harness.mjs";

let browser, demo, opened;
before(async () => {
  [browser, demo] = await Promise.all([startBrowser(), startDemo()]);
  demo.step();
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
  opened = await browser.open(demo.server, route, options);
  return opened.page;
}

const focused = (page) =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");

/** Presses Tab until the focus is on something of this name. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    if (name.test(await focused(page))) return;
  }
  assert.fail(`Tab does not reach ${name}`);
}

test("from the first key press to a graph, by keyboard alone", async () => {
  const page = await open("#health");
  await page.keyboard.press("Tab");
  assert.match(await focused(page), /Skip to the content/);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, /^Sandboxes$/);
  await page.keyboard.press("Enter");
  await page.waitForSelector("h1 >> text=Sandboxes");
  await until(() => page.evaluate(() => document.activeElement.id === "main"), "the new page has the focus");
  await tabTo(page, /^HTTP Status$/);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".chart canvas");
  await tabTo(page, /^Graph of HTTP Status/);
  await page.keyboard.press("End");
  await tabTo(page, /^Annotation A/);
});

test("tables sort by keyboard, and say so", async () => {
  const page = await open("#health");
  const head = page.locator('[aria-label="Filters"] th', { hasText: "Processed" });
  await head.getByRole("button").focus();
  await page.keyboard.press("Enter");
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  const names = await page.locator('[aria-label="Filters"] tbody th').allTextContents();
  assert.equal(names[0], "CounterFilter");
  await page.keyboard.press("Enter");
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
});

test("finding a plugin", async () => {
  const page = await open("#health");
  await page.getByLabel("Find a plugin").fill("http");
  await until(async () => (await page.locator("#main tbody tr").count()) === 1, "one plugin is left");
  assert.match(await page.evaluate(() => location.hash), /q=http/);
});

test("the dataflow is walked with arrow keys, and a node tells its numbers", async () => {
  const page = await open("#dataflow", { ready: ".node" });
  await tabTo(page, /^Input nginx_logs/);
  await page.keyboard.press("ArrowRight");
  assert.match(await focused(page), /^Decoder nginx_logs-nginx_access/);
  await page.keyboard.press("ArrowRight");
  assert.match(await focused(page), /^Router/);
  await page.keyboard.press("ArrowRight");
  const before = await focused(page);
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await focused(page), before);
  await page.keyboard.press("Enter");
  await page.locator(".flow-side dt", { hasText: "Messages" }).waitFor();
  assert.match(await page.evaluate(() => location.hash), /node=/);
});

test("the dataflow shows rates, a loop, and who holds others back", async () => {
  const page = await open("#dataflow", { ready: ".node" });
  demo.step();
  await page.locator(".node.kind-router", { hasText: /\/s/ }).waitFor();
  await page.locator(".edge.held").first().waitFor({ state: "attached" });
  assert.ok((await page.locator(".edge.back").count()) > 0);
  await page.locator(".node.holding", { hasText: /holds/ }).waitFor();
  const before = await page.textContent(".node.kind-router .node-rate");
  demo.step(7);
  await until(async () => (await page.textContent(".node.kind-router .node-rate")) !== before, "the rate changes");
  await page.getByText("The dataflow as a table").click();
  await page.locator("tr", { hasText: "output elasticsearch" }).first().waitFor();
});

test("on a phone the menu opens, leads somewhere, and closes", async () => {
  const page = await open("#health", { viewport: PHONE });
  const link = page.locator("#nav").getByRole("link", { name: "Sandboxes" });
  assert.equal(await link.isVisible(), false);
  await page.getByRole("button", { name: "Menu" }).focus();
  await page.keyboard.press("Enter");
  await link.click();
  await page.waitForSelector("h1 >> text=Sandboxes");
  assert.equal(await link.isVisible(), false);
});
