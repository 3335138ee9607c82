// What a legend says of a series beside its name.

import { type Values } from "./stack";

export interface Summary {
  last: number | null;
  min: number | null;
  max: number | null;
  mean: number | null;
  /** Rows without a number. */
  gaps: number;
  infinite: number;
}

/** Summarises the rows from `from` to `to` (excluded); infinities count only as such. */
export function summarise(values: Values, from: number, to: number): Summary {
  let last: number | null = null;
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let count = 0;
  let gaps = 0;
  let infinite = 0;
  for (let row = from; row < to; row++) {
    const value = values[row];
    if (value == null) {
      gaps++;
      continue;
    }
    last = value;
    if (!Number.isFinite(value)) {
      infinite++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count++;
  }
  const any = count > 0;
  return { last, min: any ? min : null, max: any ? max : null, mean: any ? sum / count : null, gaps, infinite };
}

/** The rows whose times lie between `from` and `to`, as a half-open range of indices. */
export function rowsBetween(times: readonly number[], from: number, to: number): [number, number] {
  return [lowerBound(times, from), lowerBound(times, to + 1e-9)];
}

function lowerBound(times: readonly number[], wanted: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
