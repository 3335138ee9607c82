// Colours that stay apart for colour-blind eyes too; after eight series the lines are dashed as well.

export interface Ink {
  series: string[];
  text: string;
  muted: string;
  grid: string;
  axis: string;
  surface: string;
  font: string;
}

/** The colours of the current theme, as the style sheet has them. */
export function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string): string => style.getPropertyValue(name).trim();
  return {
    series: Array.from({ length: 8 }, (_, index) => get(`--series-${index + 1}`)),
    text: get("--text"),
    muted: get("--text-2"),
    grid: get("--grid"),
    axis: get("--border-strong"),
    surface: get("--surface"),
    font: `11px ${get("--sans") || "sans-serif"}`,
  };
}

/** Dashes of the series with this number: none for the first eight. */
export function dashOf(series: number): number[] {
  return DASHES[Math.floor(series / 8) % DASHES.length] ?? [];
}

const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

/** The colour of a series: the one its script chose, else the theme's. */
export function colorOf(series: number, ink: Ink, chosen: readonly string[]): string {
  return chosen[series % Math.max(1, chosen.length)] ?? ink.series[series % ink.series.length] ?? ink.text;
}
