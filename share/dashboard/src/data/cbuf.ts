// Circular buffer text: an optional line of extras, a header line, then one line of tab separated numbers per row.

import { asArray, asNumber, asObject, asString } from "./json";

export interface Column {
  name: string;
  unit: string;
  aggregation: string;
}

export interface Annotation {
  /** Milliseconds since 1970. */
  x: number;
  /** 1-based column. */
  col: number;
  shortText: string;
  text: string;
  severity: "info" | "warning" | "error";
}

export interface CircularBuffer {
  /** Seconds since 1970 of every row. */
  times: number[];
  /** Per column, one value per row: a number, ±Infinity, or null for a gap. */
  values: (number | null)[][];
  columns: Column[];
  rows: number;
  secondsPerRow: number;
  annotations: Annotation[];
  /** As found in the extras line, not yet validated. */
  options: Record<string, unknown>;
}

/** More cells than this are refused: they would freeze the browser. */
export const MAX_CELLS = 8_000_000;
const MAX_ANNOTATIONS = 10_000;

/** A text that is not a circular buffer; the message says what is wrong with it. */
export class CbufError extends Error {}

/** Reads circular buffer text. Throws `CbufError`. */
export function parseCbuf(text: string): CircularBuffer {
  let [line, next] = lineAt(text, 0);
  let head = parseObject(line, 1);
  let extras: Record<string, unknown> = {};
  if ("annotations" in head || "options" in head) {
    extras = head;
    [line, next] = lineAt(text, next);
    head = parseObject(line, 2);
  }
  const columns = asArray(head["column_info"]).map(readColumn);
  const secondsPerRow = asNumber(head["seconds_per_row"]) ?? 0;
  const start = asNumber(head["time"]);
  if (start === undefined) throw new CbufError("The header has no “time”.");
  if (!(secondsPerRow > 0)) throw new CbufError("The header's “seconds_per_row” is not above 0.");
  if (columns.length === 0) throw new CbufError("The header has no “column_info”.");

  const times: number[] = [];
  const values: (number | null)[][] = columns.map(() => []);
  while (next < text.length) {
    [line, next] = lineAt(text, next);
    if (line === "") continue; // the end of the file, not a row
    if (times.length * columns.length > MAX_CELLS) {
      throw new CbufError(`The buffer has more than ${MAX_CELLS.toLocaleString("en")} cells. Use Raw to see it.`);
    }
    times.push(start + times.length * secondsPerRow);
    let from = 0;
    for (const series of values) {
      const tab = from > line.length ? -1 : line.indexOf("\t", from);
      const end = tab < 0 ? line.length : tab;
      series.push(from > line.length ? null : parseValue(line.slice(from, end)));
      from = tab < 0 ? line.length + 1 : tab + 1;
    }
  }
  return {
    times,
    values,
    columns,
    rows: asNumber(head["rows"]) ?? times.length,
    secondsPerRow,
    annotations: asArray(extras["annotations"]).slice(0, MAX_ANNOTATIONS).flatMap(readAnnotation),
    options: asObject(extras["options"]) ?? {},
  };
}

/** The line that starts at `from`, and where the next one starts. */
function lineAt(text: string, from: number): [string, number] {
  const end = text.indexOf("\n", from);
  const line = end < 0 ? text.slice(from) : text.slice(from, end);
  return [line.endsWith("\r") ? line.slice(0, -1) : line, end < 0 ? text.length : end + 1];
}

function parseObject(line: string, number: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new CbufError(`Line ${number} is not JSON.`);
  }
  const object = asObject(value);
  if (!object) throw new CbufError(`Line ${number} is not a JSON object.`);
  return object;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function parseValue(text: string): number | null {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed)) return Number(trimmed);
  switch (trimmed.toLowerCase()) {
    case "inf":
    case "+inf":
      return Infinity;
    case "-inf":
      return -Infinity;
    default:
      return null; // nan, -nan, and anything else that is no number
  }
}

function readColumn(value: unknown, index: number): Column {
  const column = asObject(value) ?? {};
  return {
    name: asString(column["name"]) ?? `Column_${index + 1}`,
    unit: asString(column["unit"]) ?? "count",
    aggregation: asString(column["aggregation"]) ?? "none",
  };
}

function readAnnotation(value: unknown): Annotation[] {
  const note = asObject(value);
  const x = note && asNumber(note["x"]);
  if (!note || x === undefined) return [];
  const severity = note["severity"];
  return [
    {
      x,
      col: asNumber(note["col"]) ?? 1,
      shortText: asString(note["shortText"]) ?? "•",
      text: asString(note["text"]) ?? "",
      severity: severity === "error" || severity === "info" ? severity : "warning",
    },
  ];
}

/** `name (unit)`, as the legend shows it. */
export function columnLabel(column: Column): string {
  return `${column.name} (${column.unit})`;
}

/** What changes how a graph is drawn, as opposed to the data in it. */
export function shapeOf(buffer: CircularBuffer): string {
  return JSON.stringify([buffer.columns, buffer.secondsPerRow, buffer.options]);
}
