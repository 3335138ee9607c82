import assert from "node:assert/strict";
import { test } from "node:test";
import { countersOf, HISTORY, RateHistory } from "../../src/data/rates";
import { dropsOf, errorOf, failuresOf, fillOf, findEntry, numberOf, parseReport } from "../../src/data/report";
import { dataUrl, extensionOf, isGraph, parseSandboxes, typeOf } from "../../src/data/sandboxes";
import { parseTerminations } from "../../src/data/termination";
import {
  describeAggregation,
  formatBytes,
  formatDate,
  formatDuration,
  formatNumber,
  formatReading,
  formatShort,
} from "../../src/data/units";
import { parseFlow } from "../../src/data/flow";

test("reads a report, sorted by name, whatever is wrong with single entries", () => {
  const report = parseReport(
    JSON.stringify({
      globals: [{ Name: "Router", ProcessMessageCount: { value: 12, representation: "count" } }],
      filters: [
        {
          Name: "b",
          InChanLength: { value: 3, representation: "count" },
          InChanCapacity: { value: 30, representation: "count" },
        },
        {
          Name: "a",
          ProcessMessageFailures: { value: 2, representation: "count" },
          "Dropped-late": { value: 5, representation: "count" },
          "Dropped-garbage": { value: 999, representation: "B" },
          DropMessageCount: { value: 1, representation: "count" },
          Error: { value: "broke", representation: "" },
        },
        "MISSING",
        null,
        { NoName: 1 },
      ],
      outputs: "MISSING",
    }),
  );
  assert.deepEqual(
    report.filters.map(({ name }) => name),
    ["a", "b"],
  );
  assert.deepEqual(report.outputs, []);
  const [a, b] = report.filters;
  assert.ok(a && b);
  assert.deepEqual(fillOf(b, "InChan"), { length: 3, capacity: 30 });
  assert.equal(fillOf(b, "MatchChan"), undefined);
  assert.equal(failuresOf(a), 2);
  assert.equal(dropsOf(a), 6, "bytes are not messages");
  assert.equal(errorOf(a), "broke");
  assert.equal(dropsOf(b), undefined);
  assert.equal(numberOf(findEntry(report, "globals", "Router"), "ProcessMessageCount"), 12);
  for (const bad of ["", "[]", "7", "{"]) assert.throws(() => parseReport(bad));
});

test("reads the list of sandboxes as the specification has it", () => {
  const text = '{"sandboxes":[{"Name":"F","Outputs":[{"Name":"HTTP Status","Filename":"data/F.HTTPStatus.cbuf"}]}]}\n';
  assert.deepEqual(parseSandboxes(text), [
    { name: "F", outputs: [{ name: "HTTP Status", path: "data/F.HTTPStatus.cbuf", file: "F.HTTPStatus.cbuf" }] },
  ]);
  assert.deepEqual(parseSandboxes('{"sandboxes":[]}'), []);
  assert.deepEqual(parseSandboxes('{"sandboxes":[{"Name":"F"},{"Outputs":[]},7]}'), [{ name: "F", outputs: [] }]);
});

test("types and URLs of outputs", () => {
  assert.equal(typeOf("F..txt"), "TXT");
  assert.equal(extensionOf("F.a/b"), "");
  assert.equal(isGraph("F.x.cbuf"), true);
  assert.equal(isGraph("F.x.cbufd"), false);
  assert.equal(dataUrl("a b/c#d%?.txt"), "data/a%20b/c%23d%25%3F.txt");
});

test("reads terminations in order, equal ones apart, with a slow filter's counters", () => {
  const slow =
    "slow ProcessMessageCount:1 ProcessMessageSamples:2 ProcessMessageAvgDuration:3 MatchAvgDuration:4 FilterChanLength:5 MatchChanLength:6 RouterChanLength:7";
  const rows = parseTerminations(
    `1409886000\tF\tprocess_message() boom\n1409886000\tF\tprocess_message() boom\n2\tG\t${slow}\n\nrubbish\n`,
  );
  assert.equal(rows.length, 3);
  assert.deepEqual(rows[0], { time: 1409886000, plugin: "F", message: "process_message() boom", counters: [] });
  assert.deepEqual(rows[0], rows[1]);
  assert.equal(rows[2]?.message, "slow");
  assert.deepEqual(
    rows[2]?.counters.map(([, n]) => n),
    [1, 2, 3, 4, 5, 6, 7],
  );
  assert.equal(parseTerminations("1\tF\ta\\nb\\tc \\d\n")[0]?.message, "a\nb\tc \\d");
  assert.equal(parseTerminations("1\tF\ta\tb\n")[0]?.message, "a\tb", "unescaped tabs of older files");
});

test("spans as the specification words them", () => {
  const cases: [number, number, string][] = [
    [60, 1440, "1 minute aggregation for the last day"],
    [1, 3600, "1 second aggregation for the last hour"],
    [5, 300, "5 second aggregation for the last 25 minutes"],
    [1, 30, "1 second aggregation for the last 30 seconds"],
    [90, 7, "1.5 minute aggregation for the last 10.5 minutes"],
    [86400, 30, "1 day aggregation for the last 30 days"],
    [3600, 25, "1 hour aggregation for the last 1.04 days"],
  ];
  for (const [step, rows, text] of cases) assert.equal(describeAggregation(step, rows), text);
});

test("numbers as people read them", () => {
  assert.equal(formatNumber(1234567), "1,234,567");
  assert.equal(formatNumber(-Infinity), "−∞");
  assert.deepEqual([0, 0.5, 9.994, 999.6, 1234, 12_345, 99_960, 1e6, 3.2e9, 5e15, 0.0004].map(formatShort), [
    "0",
    "0.5",
    "9.99",
    "1k",
    "1.23k",
    "12.3k",
    "100k",
    "1M",
    "3.2G",
    "5P",
    "4.0e-4",
  ]);
  assert.deepEqual([0, 1023, 1536, 8 * 2 ** 20].map(formatBytes), ["0 B", "1023 B", "1.5 KiB", "8 MiB"]);
  assert.deepEqual([0, 0.25, 1.5, 59, 61, 3600, 90_061, NaN].map(formatDuration), [
    "0 s",
    "250 ms",
    "1.5 s",
    "59 s",
    "1 min 1 s",
    "1 h",
    "1 d 1 h",
    "–",
  ]);
  assert.equal(formatReading(5000, "ns"), "5,000 ns");
  assert.equal(formatReading(5000, "count"), "5,000");
  assert.equal(formatReading("true", ""), "true");
  assert.equal(formatReading({ a: 1 }, ""), '{"a":1}');
  assert.match(formatDate(1409862600), /^Sep [34], 2014, \d{1,2}:30\s[AP]M$/u);
  assert.equal(formatDate(1e18), "1000000000000000000");
});

test("rates come from two samples, survive restarts, and forget what is gone", () => {
  const rates = new RateHistory();
  rates.add(100, [
    ["a", 10],
    ["b", 5],
  ]);
  assert.equal(rates.rate("a"), undefined, "one sample says nothing");
  rates.add(102, [
    ["a", 30],
    ["b", 5],
  ]);
  assert.equal(rates.rate("a"), 10);
  assert.equal(rates.rate("b"), 0);
  rates.add(102, [["a", 99]]);
  assert.equal(rates.rate("a"), 10, "the same sample again");
  rates.add(104, [["a", 8]]);
  assert.equal(rates.rate("a"), 4, "a counter that began again at zero");
  assert.equal(rates.rate("b"), undefined, "gone");
  rates.add(50, [["a", 9]]);
  assert.equal(rates.rate("a"), 4, "a clock that was set back starts afresh");
  for (let i = 0; i < 2 * HISTORY; i++) rates.add(1000 + i, [["a", i]]);
  assert.equal(rates.history("a").length, HISTORY);
});

test("reads a flow, and counts its nodes, bytes and edges", () => {
  const flow = parseFlow(
    JSON.stringify({
      version: "1",
      hostname: "h",
      time: 10,
      started: 1,
      nodes: [
        { name: "router", messages: 5, bytes: 50, holds_since: null, queue: { length: 1 } },
        { name: "x", error: "e", holds_since: 3 },
        7,
      ],
      edges: [{ from: "router", to: "x", messages: 2, waiting: 1, lag_ms: 9 }, { from: "router" }],
    }),
  );
  assert.deepEqual(flow.nodes.get("router"), { messages: 5, bytes: 50, queue: { length: 1, unit: "count" } });
  assert.deepEqual(flow.nodes.get("x"), { holdsSince: 3, error: "e" });
  assert.deepEqual(
    [...countersOf(flow)].map(([, n]) => n),
    [5, 50, 2],
  );
  assert.throws(() => parseFlow("{}"), /time/);
});
