// Which part of the time is shown: everything, the last so many seconds, or from here to there.

import { type View } from "../route";

export type Range = { kind: "all" } | { kind: "last"; seconds: number } | { kind: "fixed"; from: number; to: number };

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 };

/** Reads `range=6h`, or `from=…&to=…` in seconds. */
export function readRange(view: View): Range {
  const from = Number(view.get("from") ?? NaN);
  const to = Number(view.get("to") ?? NaN);
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) return { kind: "fixed", from, to };
  const last = /^(\d{1,6})([smhd])$/.exec(view.get("range") ?? "");
  const seconds = Number(last?.[1]) * (UNITS[last?.[2] ?? ""] ?? NaN);
  return seconds > 0 ? { kind: "last", seconds } : { kind: "all" };
}

/** The range as parts of a link; what it replaces is emptied. */
export function writeRange(range: Range): [string, string][] {
  const parts: Record<string, string> = { from: "", to: "", range: "" };
  if (range.kind === "fixed") {
    parts["from"] = String(Math.round(range.from));
    parts["to"] = String(Math.round(range.to));
  } else if (range.kind === "last") {
    parts["range"] = shortSpan(range.seconds);
  }
  return Object.entries(parts);
}

/** 6h, 30m. */
export function shortSpan(seconds: number): string {
  for (const unit of ["d", "h", "m"]) {
    const size = UNITS[unit] ?? 1;
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

/** From and to in seconds. */
export function resolveRange(range: Range, first: number, last: number): [number, number] {
  if (range.kind === "fixed") return [range.from, range.to];
  const end = last > first ? last : first + 1;
  if (range.kind === "last") return [Math.max(first, end - range.seconds), end];
  return [first, end];
}

/** Spans to choose from that are shorter than the whole. */
export function offeredSpans(whole: number): number[] {
  const all = [60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 30 * 86400];
  return all.filter((span) => span < whole * 0.95 && span > whole / 60).slice(-5);
}
