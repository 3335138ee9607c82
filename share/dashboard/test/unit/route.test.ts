import assert from "node:assert/strict";
import { test } from "node:test";
import { link, mergeView, parsePlace, pick, withView } from "../../src/route";

const route = (hash: string, search = "") => parsePlace(hash, search).route;

test("the routes of the first dashboard", () => {
  assert.deepEqual(route(""), { page: "health" });
  assert.deepEqual(route("#"), { page: "health" });
  assert.deepEqual(route("#health"), { page: "health" });
  assert.deepEqual(route("#sandboxes"), { page: "sandboxes" });
  assert.deepEqual(route("#termination_report"), { page: "terminations" });
  for (const section of ["inputs", "decoders", "filters", "outputs", "encoders", "splitters"] as const) {
    assert.deepEqual(route(`#plugins/${section}/My`), {
      page: "plugin",
      section,
      name: { decoded: "My", plain: "My" },
    });
  }
  const output = parsePlace("#sandboxes/F/outputs/F.HTTPStatus.cbuf/embed");
  assert.equal(output.embed, true);
  assert.deepEqual(output.route, {
    page: "output",
    filter: { decoded: "F", plain: "F" },
    file: { decoded: "F.HTTPStatus.cbuf", plain: "F.HTTPStatus.cbuf" },
  });
  assert.equal(parsePlace("#sandboxes/F/outputs/F..txt").embed, false);
});

test("embedding by query too", () => {
  assert.equal(parsePlace("#sandboxes/F/outputs/F.x.cbuf", "?embed").embed, true);
  assert.equal(parsePlace("#sandboxes/F/outputs/F.x.cbuf?embed&range=1h").embed, true);
});

test("names are found encoded and plain, with slashes, percent signs and question marks", () => {
  const names = ["a/b", "100%", "x?y", "a%2Fb", "plain"];
  for (const name of names) {
    const place = parsePlace(link.plugin("filters", name));
    assert.ok(place.route.page === "plugin");
    assert.equal(
      pick(names, (n) => n, place.route.name),
      name,
    );
    const plain = parsePlace(`#plugins/filters/${name}`);
    assert.ok(plain.route.page === "plugin");
    const found = pick(
      names.filter((n) => n !== "a/b" || name !== "a%2Fb"),
      (n) => n,
      plain.route.name,
    );
    assert.equal(found, name, `plain ${name}`);
  }
  const nested = parsePlace("#sandboxes/a/b/outputs/a.x.cbuf").route;
  assert.ok(nested.page === "output");
  assert.equal(nested.filter.decoded, "a/b");
});

test("the view is read from links, and unknown parts belong to the name", () => {
  const place = parsePlace("#sandboxes/F/outputs/F.x.cbuf?range=6h&hide=1,2&evil=1");
  assert.deepEqual(
    [...place.view],
    [
      ["range", "6h"],
      ["hide", "1,2"],
    ],
  );
  assert.ok(place.route.page === "output");
  assert.equal(place.route.file.decoded, "F.x.cbuf");
  assert.equal(
    withView(
      "#a",
      new Map([
        ["log", "1"],
        ["q", ""],
      ]),
    ),
    "#a?log=1",
  );
  assert.equal(withView("#a", undefined), "#a");
  const view = new Map([
    ["hide", "1"],
    ["log", "1"],
  ]);
  assert.deepEqual(
    [
      ...mergeView(view, [
        ["hide", ""],
        ["range", "1h"],
      ]),
    ],
    [
      ["log", "1"],
      ["range", "1h"],
    ],
  );
});

test("what is no route says so", () => {
  for (const hash of [
    "#nowhere",
    "#plugins",
    "#plugins/filters",
    "#plugins/nothing/x",
    "#sandboxes/",
    "#plugins/filters/",
  ]) {
    assert.equal(route(hash).page, "unknown", hash);
  }
});
