// Chart options of a circular buffer. Their names are those of the dygraphs library, which scripts were written for.
// `labelsKMB` needs no switch: the numbers of the axis are always short.

import { asArray, asNumber } from "./json";

export interface ChartOptions {
  stacked: boolean;
  fill: boolean;
  log: boolean;
  includeZero: boolean;
  connectGaps: boolean;
  points: boolean;
  title?: string;
  xlabel?: string;
  ylabel?: string;
  range?: [number, number];
  colors: string[];
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.slice(0, 200) : undefined;

const COLOR = /^(#[0-9a-f]{3,8}|[a-z]{3,30}|(rgb|hsl)a?\([0-9.,%/\s]{3,40}(deg)?[0-9.,%/\s]*\))$/i;

/** Reads the options that are honoured; whatever is malformed or unknown is left out. */
export function readOptions(options: Record<string, unknown>): ChartOptions {
  const range = asArray(options["valueRange"]).map(asNumber);
  const [low, high] = range;
  const title = text(options["title"]);
  const xlabel = text(options["xlabel"]);
  const ylabel = text(options["ylabel"]);
  return {
    stacked: options["stackedGraph"] === true,
    fill: options["fillGraph"] === true,
    log: options["logscale"] === true,
    includeZero: options["includeZero"] === true,
    connectGaps: options["connectSeparatedPoints"] === true,
    points: options["drawPoints"] === true,
    colors: asArray(options["colors"]).filter((c): c is string => typeof c === "string" && COLOR.test(c.trim())),
    ...(title !== undefined && { title }),
    ...(xlabel !== undefined && { xlabel }),
    ...(ylabel !== undefined && { ylabel }),
    ...(range.length === 2 &&
      low !== undefined &&
      high !== undefined &&
      low < high && { range: [low, high] as [number, number] }),
  };
}
