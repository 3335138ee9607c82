// A circular buffer as CSV, for spreadsheets.

import { type CircularBuffer, columnLabel } from "./cbuf";
import { formatIso } from "./units";

/** One line per row, RFC 4180; gaps are empty. */
export function toCsv(buffer: CircularBuffer): string {
  const lines = [["time", ...buffer.columns.map(columnLabel)].map(quote).join(",")];
  for (const [row, time] of buffer.times.entries()) {
    lines.push([formatIso(time), ...buffer.values.map((series) => cell(series[row]))].join(","));
  }
  return lines.join("\r\n") + "\r\n";
}

function cell(value: number | null | undefined): string {
  if (value == null) return "";
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}

/** Quoted where needed; what a spreadsheet would take for a formula is made text. */
function quote(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
