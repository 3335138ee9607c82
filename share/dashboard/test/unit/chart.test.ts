import assert from "node:assert/strict";
import { test } from "node:test";
import { pan, zoom } from "../../src/chart/gestures";
import { colorOf, dashOf, type Ink } from "../../src/chart/palette";
import { offeredSpans, readRange, resolveRange, shortSpan, writeRange } from "../../src/chart/range";
import { drawable, stack } from "../../src/chart/stack";
import { rowsBetween, summarise } from "../../src/chart/summary";
import { timeLabels } from "../../src/chart/ticks";
import { readOptions } from "../../src/data/options";

test("stacks the first series on top, and leaves out gaps and hidden series", () => {
  const values = [
    [1, 2, null],
    [10, null, 30],
    [100, 200, 300],
  ];
  assert.deepEqual(stack(values, [true, true, true]), [
    [111, 202, null],
    [110, null, 330],
    [100, 200, 300],
  ]);
  assert.deepEqual(stack(values, [true, false, true]), [
    [101, 202, null],
    [null, null, null],
    [100, 200, 300],
  ]);
  assert.deepEqual(stack([[Infinity], [1]], [true, true]), [[null], [1]]);
});

test("draws no infinity, and on a log axis nothing at or below zero", () => {
  assert.deepEqual(drawable([1, 0, -1, Infinity, null], false), [1, 0, -1, null, null]);
  assert.deepEqual(drawable([1, 0, -1, Infinity, null], true), [1, null, null, null, null]);
});

test("summarises what is in view", () => {
  assert.deepEqual(summarise([9, 1, null, 3, Infinity], 1, 5), {
    last: Infinity,
    min: 1,
    max: 3,
    mean: 2,
    gaps: 1,
    infinite: 1,
  });
  assert.deepEqual(summarise([null], 0, 1), { last: null, min: null, max: null, mean: null, gaps: 1, infinite: 0 });
  assert.deepEqual(rowsBetween([0, 60, 120, 180], 60, 120), [1, 3]);
  assert.deepEqual(rowsBetween([0, 60], 200, 300), [2, 2]);
});

test("pans and zooms within what there is", () => {
  assert.deepEqual(pan([10, 20], 5, [0, 100]), [15, 25]);
  assert.deepEqual(pan([10, 20], -50, [0, 100]), [0, 10]);
  assert.deepEqual(pan([90, 100], 50, [0, 100]), [90, 100]);
  assert.deepEqual(zoom([0, 100], 0.5, 50, [0, 100]), [25, 75]);
  assert.deepEqual(zoom([25, 75], 4, 50, [0, 100]), [0, 100]);
  assert.deepEqual(zoom([0, 1], 0.1, 0.5, [0, 1]), [0, 1], "no deeper than a second");
});

test("ranges go into links and come back", () => {
  const view = (text: string) => new Map(new URLSearchParams(text));
  assert.deepEqual(readRange(view("from=10&to=20")), { kind: "fixed", from: 10, to: 20 });
  assert.deepEqual(readRange(view("range=6h")), { kind: "last", seconds: 21600 });
  for (const bad of ["", "from=20&to=10", "from=x&to=1", "range=6y", "range=-1h", "range=", "range=0m"]) {
    assert.deepEqual(readRange(view(bad)), { kind: "all" }, bad);
  }
  assert.deepEqual(new Map(writeRange({ kind: "last", seconds: 900 })).get("range"), "15m");
  assert.deepEqual(new Map(writeRange({ kind: "fixed", from: 1.4, to: 9.6 })).get("to"), "10");
  assert.equal(shortSpan(45), "45s");
  assert.deepEqual(resolveRange({ kind: "last", seconds: 30 }, 0, 100), [70, 100]);
  assert.deepEqual(resolveRange({ kind: "last", seconds: 300 }, 0, 100), [0, 100]);
  assert.deepEqual(resolveRange({ kind: "all" }, 5, 5), [5, 6]);
  assert.deepEqual(offeredSpans(86400), [1800, 3600, 10800, 21600, 43200]);
});

test("honours options that are sound, and no others", () => {
  const options = readOptions({
    stackedGraph: true,
    fillGraph: "yes",
    logscale: true,
    title: "T",
    ylabel: 7,
    valueRange: [0, 10],
    labelsKMB: true,
    connectSeparatedPoints: true,
    drawPoints: true,
    includeZero: true,
    colors: ["#ff0000", "rgb(1, 2, 3)", "hsl(120deg 50% 50%)", "teal", "url(//x)", "red;background:url(x)", 5],
  });
  assert.deepEqual(options, {
    stacked: true,
    fill: false,
    log: true,
    includeZero: true,
    connectGaps: true,
    points: true,
    colors: ["#ff0000", "rgb(1, 2, 3)", "hsl(120deg 50% 50%)", "teal"],
    title: "T",
    range: [0, 10],
  });
  assert.equal(readOptions({ valueRange: [5, 5] }).range, undefined);
  assert.equal(readOptions({ valueRange: [null, 5] }).range, undefined);
});

test("series beyond the eighth are told apart by dashes", () => {
  assert.deepEqual(dashOf(0), []);
  assert.notDeepEqual(dashOf(8), dashOf(0));
  assert.notDeepEqual(dashOf(16), dashOf(8));
  const ink = { series: ["a", "b"], text: "t" } as unknown as Ink;
  assert.equal(colorOf(3, ink, []), "b");
  assert.equal(colorOf(3, ink, ["red"]), "red");
});

test("the time axis names the day where it begins", () => {
  const midnight = new Date(2020, 0, 2).getTime() / 1000;
  assert.deepEqual(timeLabels([midnight - 7200, midnight - 3600, midnight], 3600), [
    "22:00\nJan 1, 2020",
    "23:00",
    "00:00\nJan 2, 2020",
  ]);
  assert.deepEqual(timeLabels([midnight, midnight + 86400], 86400), ["Jan 2, 2020", "Jan 3, 2020"]);
  assert.deepEqual(timeLabels([midnight, midnight + 5], 5), ["00:00:00\nJan 2, 2020", "00:00:05"]);
  assert.deepEqual(timeLabels([1e18], 60), [""]);
});
