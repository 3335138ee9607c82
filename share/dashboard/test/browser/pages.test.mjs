// Every page, at both widths, in both themes: it opens, nothing is wrong in the console, nothing scrolls sideways,
// and axe finds nothing serious.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PAGES, PHONE, startBrowser, startDemo } from "./harness.mjs";

let browser, demo;
before(async () => {
  [browser, demo] = await Promise.all([startBrowser(), startDemo()]);
  demo.step();
});
after(async () => {
  await browser.close();
  await demo.stop();
});

for (const [name, route] of Object.entries(PAGES)) {
  for (const theme of ["light", "dark"]) {
    for (const viewport of [DESK, PHONE]) {
      test(`${name}, ${theme}, ${viewport.width} px`, async () => {
        const { page, problems, close } = await browser.open(demo.server, route, { theme, viewport });
        await page.waitForFunction(() => !document.querySelector(".spinner"));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${width} px are wider than ${viewport.width}`);
        const violations = await page.evaluate(async () => {
          const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
          return violations
            .filter(({ impact }) => impact === "serious" || impact === "critical" || impact === "moderate")
            .map(
              ({ id, nodes }) =>
                `${id}: ${nodes.map(({ html, any }) => html.slice(0, 160) + (any[0]?.message ?? "")).slice(0, 3)}`,
            );
        });
        // An embedded view and parts of it stand in somebody else's page, which has the landmarks and headings.
        assert.deepEqual(
          violations.filter((text) => name !== "embed" || !/^(page-has-heading-one|region)/.test(text)),
          [],
        );
        assert.deepEqual(problems, []);
        await close();
      });
    }
  }
}

test("pages of older versions lead to the new ones", async () => {
  for (const [old, title] of [
    ["heka_report.html", "Health"],
    ["heka_sandbox_termination.html", "Termination Report"],
  ]) {
    const { page, problems, close } = await browser.open(demo.server, old);
    assert.equal(await page.textContent("h1"), title);
    assert.deepEqual(problems, []);
    await close();
  }
});

test("a page without data says what it waits for, and how to configure it", async () => {
  const { MockServer } = await import("../../mock/server.mjs");
  const server = await new MockServer().start();
  try {
    const { page, close } = await browser.open(server, "#health");
    await page.waitForSelector("text=Waiting for the first report");
    server.set("heka_report.json", '{"globals":[]}');
    await page.waitForSelector("text=No inputs are configured");
    await page.waitForSelector("text=LogstreamerInput");
    await page.goto(`${server.url}#sandboxes`);
    await page.waitForSelector("text=Waiting for the list of sandboxes");
    server.set("sandboxes.json", '{"sandboxes":[]}');
    await page.waitForSelector("text=No sandboxes are configured");
    await page.goto(`${server.url}#termination_report`);
    await page.waitForSelector("text=No plugins have been terminated");
    await close();
  } finally {
    await server.stop();
  }
});
