// The connection: pushed, polled, lost, found again; and what the page says about it.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { PAGES, startBrowser, startDemo, until } from "./harness.mjs";

let browser, demo, opened;
before(async () => {
  browser = await startBrowser();
});
afterEach(async () => {
  await opened?.close();
  await demo?.stop();
});
after(() => browser.close());

async function open(route, setup = () => {}) {
  demo = await startDemo();
  setup(demo.server);
  opened = await browser.open(demo.server, route);
  return opened.page;
}

const badge = (page, text) => page.locator(".live", { hasText: text }).waitFor();
const total = (page) => page.textContent(".figure-value");

test("changes are pushed, and an unchanged document is not asked for", async () => {
  const page = await open("#health");
  await badge(page, "Live");
  const before = await total(page);
  demo.step();
  await until(async () => (await total(page)) !== before, "the figure changes");
  await page.locator(".rate-text >> nth=0").waitFor();
  const seen = demo.server.requests.length;
  demo.server.set("F.other.txt", "an output nobody looks at");
  demo.step();
  await until(
    () => demo.server.requests.slice(seen).some(({ name }) => name === "data/flow.json"),
    "the flow is asked for",
  );
  assert.equal(
    demo.server.requests.some(({ name }) => name === "data/F.other.txt"),
    false,
  );
});

test("without events the documents are polled, with their tags", async () => {
  const page = await open("#health", (server) => (server.events = false));
  await badge(page, "Polling");
  const before = await total(page);
  demo.step();
  await until(async () => (await total(page)) !== before, "the figure changes");
  await until(() => demo.server.requests.some(({ headers }) => headers["if-none-match"]), "conditional requests");
});

test("a lost daemon is shown as lost, the data as stale, and it comes back by itself", async () => {
  const page = await open("#health");
  await badge(page, "Live");
  const before = await total(page);
  demo.server.broken = true;
  demo.server.dropEvents();
  await page.locator(".banner", { hasText: "The data below is stale" }).waitFor();
  await badge(page, "Offline");
  assert.equal(await total(page), before, "the last data stays");
  demo.server.broken = false;
  demo.step();
  await page.getByRole("button", { name: /Try now/ }).click();
  await badge(page, "Live");
  await until(async () => (await total(page)) !== before, "new data");
  assert.equal(await page.locator(".banner").count(), 0);
});

test("a broken stream is replaced by another", async () => {
  const page = await open("#health");
  await badge(page, "Live");
  demo.server.dropEvents();
  await until(() => demo.server.clients.size > 0, "connected again");
  await badge(page, "Live");
});

test("a hidden page keeps no connection and asks nothing", async () => {
  const page = await open("#health");
  await badge(page, "Live");
  const hide = (hidden) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await until(() => demo.server.clients.size === 0, "the stream is closed");
  const seen = demo.server.requests.length;
  demo.step();
  await page.waitForTimeout(3000);
  assert.equal(demo.server.requests.length, seen);
  await hide(false);
  await badge(page, "Live");
});

test("a text output is shown literally and follows its file", async () => {
  const page = await open(PAGES.text);
  await page.locator(".payload", { hasText: "Requests in the last minute" }).waitFor();
  demo.server.set("HTTPStatus..txt", "<script>window.__hit=1</script>\n");
  await page.locator(".payload", { hasText: "<script>window.__hit=1</script>" }).waitFor();
  assert.equal(await page.evaluate(() => window.__hit), undefined);
  assert.deepEqual(opened.problems, []);
});

test("an output and a list that come later appear", async () => {
  const page = await open("#sandboxes/New/outputs/New.x.txt");
  await page.locator("text=Waiting for x").waitFor();
  demo.server.set("New.x.txt", "here it is");
  await page.locator(".payload", { hasText: "here it is" }).waitFor();
  demo.server.set(
    "sandboxes.json",
    '{"sandboxes":[{"Name":"New","Outputs":[{"Name":"x","Filename":"data/New.x.txt"}]}]}',
  );
  await page.getByRole("link", { name: "New" }).waitFor();
});

test("terminations are counted by position, and arrive", async () => {
  const page = await open("#termination_report");
  await until(async () => (await page.locator("tbody tr").count()) === 2, "two rows");
  demo.server.set(
    "heka_sandbox_termination.tsv",
    `${demo.model.termination()}1409886000\tF\tboom\n1409886000\tF\tboom\n`,
  );
  await until(async () => (await page.locator("tbody tr").count()) === 4, "equal lines are two rows");
});

test("the chosen theme is remembered", async () => {
  const page = await open("#health");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: /^Theme: system/ }).click();
  await page.getByRole("button", { name: /^Theme: light/ }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.getByRole("button", { name: /^Theme: dark/ }).waitFor();
  assert.equal(await ground(), dark);
});
