// Whatever a message carries, it is text: in names, units, payloads, annotations, options, nodes and edges.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { publishHostile, TEXTS } from "../../mock/hostile.mjs";
import { MockServer } from "../../mock/server.mjs";
import { DESK, PHONE, startBrowser } from "./harness.mjs";

let browser, server, hostile;
before(async () => {
  browser = await startBrowser();
  server = await new MockServer().start();
  hostile = publishHostile(server);
});
after(async () => {
  await browser.close();
  await server.stop();
});

const encode = encodeURIComponent;

function routes() {
  const all = ["#health", "#dataflow", "#dataflow?view=all", "#sandboxes", "#termination_report"];
  for (const [index, name] of TEXTS.entries()) {
    all.push(
      `#plugins/filters/${encode(name)}`,
      `#sandboxes/${encode(name)}`,
      `#dataflow?node=${encode(`input ${name}`)}`,
    );
    all.push(`#plugins/filters/${name.replaceAll("\u0000", "")}`, `#${name.replaceAll("\u0000", "")}`);
    for (const [, file] of hostile.files.slice(index * 5, index * 5 + 5)) {
      all.push(
        `#sandboxes/${encode(name)}/outputs/${encode(file)}`,
        `#sandboxes/${encode(name)}/outputs/${encode(file)}/embed`,
      );
    }
  }
  return all;
}

for (const viewport of [DESK, PHONE]) {
  test(`nothing runs, breaks or scrolls sideways at ${viewport.width} px`, async () => {
    const { page, problems, close } = await browser.open(server, "#health", { viewport });
    const outside = [];
    page.on("request", (request) => request.url().startsWith(server.url) || outside.push(request.url()));
    for (const route of routes()) {
      await page.evaluate((hash) => (location.hash = hash), route);
      await page.waitForFunction(
        () => !document.querySelector(".spinner") && document.querySelector("h1, .graph, .text-embed, .empty"),
      );
      if (!route.endsWith("/embed")) await page.waitForSelector("#main h1, #main .empty");
      const state = await page.evaluate(() => ({
        hit: window.__hit,
        width: document.documentElement.scrollWidth,
        strange: [
          ...document.querySelectorAll(
            "#app script, #app iframe, #app img, #app object, #app [onload], #app [onerror], #app [onmouseover]",
          ),
        ].length,
        links: [...document.querySelectorAll("a")]
          .map((a) => a.getAttribute("href"))
          .filter((href) => !/^(#|data\/)/.test(href)),
      }));
      assert.deepEqual({ ...state, width: 0 }, { hit: undefined, width: 0, strange: 0, links: [] }, route);
      assert.ok(state.width <= viewport.width, `${route} is ${state.width} px wide`);
    }
    assert.deepEqual(outside, []);
    assert.deepEqual(problems, []);
    await close();
  });
}

test("every link of every page leads to a page that has what it names", async () => {
  const { page, problems, close } = await browser.open(server, "#sandboxes");
  await page.waitForSelector(".outputs a");
  const links = await page.evaluate(() => [...document.querySelectorAll("#main a")].map((a) => a.getAttribute("href")));
  for (const href of new Set(links)) {
    await page.evaluate((hash) => (location.hash = hash), href);
    await page.waitForFunction(() => !document.querySelector(".spinner"));
    const text = await page.textContent("#main");
    assert.doesNotMatch(text, /No running|There is no such page|is running|Waiting for/, href);
  }
  assert.deepEqual(problems, []);
  await close();
});
