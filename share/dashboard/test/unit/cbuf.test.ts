import assert from "node:assert/strict";
import { test } from "node:test";
import { CbufError, MAX_CELLS, columnLabel, parseCbuf, shapeOf } from "../../src/data/cbuf";
import { toCsv } from "../../src/data/csv";
import { describeAggregation } from "../../src/data/units";

const HEADER =
  '{"time":0,"rows":3,"columns":1,"seconds_per_row":60,"column_info":[{"name":"Req","unit":"count","aggregation":"sum"}]}';

test("the specification's example: one series with a gap, one annotation", () => {
  const buffer = parseCbuf(
    '{"annotations":[{"x":60000,"col":1,"shortText":"A","text":"detected anomaly"}]}\n' + HEADER + "\n1\nnan\n3\n",
  );
  assert.deepEqual(buffer.times, [0, 60, 120]);
  assert.deepEqual(buffer.values, [[1, null, 3]]);
  assert.deepEqual(buffer.columns.map(columnLabel), ["Req (count)"]);
  assert.deepEqual(buffer.annotations, [
    { x: 60000, col: 1, shortText: "A", text: "detected anomaly", severity: "warning" },
  ]);
  assert.equal(describeAggregation(buffer.secondsPerRow, buffer.rows), "1 minute aggregation for the last 3 minutes");
});

test("the host aggregator's example: options before the header", () => {
  const buffer = parseCbuf(
    '{"options":{"stackedGraph":true,"fillGraph":true}}\n' +
      '{"time":0,"rows":3,"columns":2,"seconds_per_row":60,"column_info":[{"name":"h1","unit":"count","aggregation":"sum"},' +
      '{"name":"h2","unit":"count","aggregation":"sum"}]}\nnan\tnan\n5\t6\nnan\tnan\n',
  );
  assert.deepEqual(buffer.options, { stackedGraph: true, fillGraph: true });
  assert.deepEqual(buffer.values, [
    [null, 5, null],
    [null, 6, null],
  ]);
});

test("one extras line may hold annotations and options", () => {
  const buffer = parseCbuf(`{"annotations":[{"x":1,"col":1}],"options":{"logscale":true}}\n${HEADER}\n1\n`);
  assert.equal(buffer.annotations.length, 1);
  assert.deepEqual(buffer.options, { logscale: true });
});

test("an empty object means no annotations, and malformed ones are left out", () => {
  assert.deepEqual(parseCbuf(`{"annotations":{}}\n${HEADER}\n1\n`).annotations, []);
  const some = parseCbuf(`{"annotations":[null,7,{"col":1},{"x":"1"},{"x":5}]}\n${HEADER}\n1\n`);
  assert.deepEqual(some.annotations, [{ x: 5, col: 1, shortText: "•", text: "", severity: "warning" }]);
});

test("numbers, infinities and gaps", () => {
  const cases: [string, number | null][] = [
    ["1", 1],
    ["-2.5", -2.5],
    ["1e+17", 1e17],
    ["0.00000001", 1e-8],
    [" 4 ", 4],
    ["inf", Infinity],
    ["-inf", -Infinity],
    ["nan", null],
    ["-nan", null],
    ["", null],
    ["0x10", null],
    ["abc", null],
  ];
  for (const [text, value] of cases) {
    const { values } = parseCbuf(`${HEADER}\n${text}\t\n`);
    assert.equal(values[0]?.[0], value, JSON.stringify(text));
  }
});

test("a line with too few fields has gaps, and one with too many is cut", () => {
  const two = HEADER.replace('"columns":1', '"columns":2').replace(
    "]}",
    ',{"name":"B","unit":"B","aggregation":"max"}]}',
  );
  assert.deepEqual(parseCbuf(`${two}\n1\n2\t3\t4\n`).values, [
    [1, 2],
    [null, 3],
  ]);
});

test("the last newline is no row, with it or without, and carriage returns do no harm", () => {
  for (const text of [`${HEADER}\n1\n2`, `${HEADER}\n1\n2\n`, `${HEADER}\r\n1\r\n2\r\n`]) {
    assert.deepEqual(parseCbuf(text).values, [[1, 2]]);
  }
});

test("what is no circular buffer is refused with its reason", () => {
  const cases: [string, RegExp][] = [
    ["", /Line 1 is not JSON/],
    ["hello", /Line 1 is not JSON/],
    ["[1]\n", /Line 1 is not a JSON object/],
    ['{"annotations":[]}\nx\n', /Line 2 is not JSON/],
    ["{}\n", /no “time”/],
    ['{"time":0,"seconds_per_row":0,"column_info":[{}]}', /seconds_per_row/],
    ['{"time":0,"seconds_per_row":1,"column_info":[]}', /column_info/],
  ];
  for (const [text, reason] of cases)
    assert.throws(
      () => parseCbuf(text),
      (e) => e instanceof CbufError && reason.test(e.message),
    );
});

test("a huge buffer is read, and a monstrous one refused", () => {
  const rows = 200_000;
  const { times, values } = parseCbuf(`${HEADER}\n${"7\n".repeat(rows)}`);
  assert.equal(times.length, rows);
  assert.equal(values[0]?.at(-1), 7);
  assert.throws(() => parseCbuf(`${HEADER}\n${"7\n".repeat(MAX_CELLS + 2)}`), CbufError);
});

test("other columns or options are another shape; other data are not", () => {
  const a = parseCbuf(`${HEADER}\n1\n`);
  assert.equal(shapeOf(a), shapeOf(parseCbuf(`${HEADER.replace('"time":0', '"time":60')}\n2\n3\n`)));
  assert.notEqual(shapeOf(a), shapeOf(parseCbuf(`${HEADER.replace("Req", "New")}\n1\n`)));
});

test("CSV has times, labels, gaps, and nothing a spreadsheet would run", () => {
  const buffer = parseCbuf(`${HEADER.replace("Req", '=1+1,\\"x\\"')}\n1\nnan\ninf\n`);
  assert.equal(
    toCsv(buffer),
    'time,"\'=1+1,""x"" (count)"\r\n1970-01-01T00:00:00Z,1\r\n1970-01-01T00:01:00Z,\r\n1970-01-01T00:02:00Z,inf\r\n',
  );
});
