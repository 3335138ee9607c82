// Numbers, sizes, durations and times as text.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** With thousands separators: 1,234,567. */
export function formatNumber(value: number): string {
  return Number.isFinite(value) ? grouped.format(value) : value > 0 ? "∞" : value < 0 ? "−∞" : "–";
}

/** At most four characters and a suffix: 12.3k, 4.56M. */
export function formatShort(value: number): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  for (const [limit, suffix] of [
    [1e15, "P"],
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (size >= limit * 0.9995) return trim(value / limit) + suffix;
  }
  return trim(value);
}

function trim(value: number): string {
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.1 ? 2 : 3)));
}

/** Messages or other things per second: 1.2k/s. */
export function formatRate(perSecond: number): string {
  return `${formatShort(perSecond)}/s`;
}

/** Powers of 1024: 1.5 MiB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB", "TiB"]) {
    if (Math.abs(value) < 1024 || unit === "TiB") return `${trim(value)} ${unit}`;
    value /= 1024;
  }
  return `${bytes} B`;
}

/** A length of time in seconds, in its two largest units: 3 d 4 h, 12 s, 250 ms. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 1) return seconds === 0 ? "0 s" : `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

/** `1 minute aggregation for the last day`. */
export function describeAggregation(secondsPerRow: number, rows: number): string {
  const [step, stepUnit] = inUnits(secondsPerRow);
  const [span, spanUnit] = inUnits(secondsPerRow * rows);
  const last = span === 1 ? spanUnit : `${span} ${spanUnit}s`;
  return `${step} ${stepUnit} aggregation for the last ${last}`;
}

function inUnits(seconds: number): [number, string] {
  const round = (n: number): number => Math.round(n * 100) / 100;
  if (seconds >= 86400) return [round(seconds / 86400), "day"];
  if (seconds >= 3600) return [round(seconds / 3600), "hour"];
  if (seconds >= 60) return [round(seconds / 60), "minute"];
  return [round(seconds), "second"];
}

const longDate = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const exactDate = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });

const inRange = (seconds: number): boolean => Math.abs(seconds) < 8.64e12;

/** Local time: `Sep 4, 2014, 8:30 PM`. */
export function formatDate(seconds: number): string {
  return inRange(seconds) ? longDate.format(seconds * 1000) : String(seconds);
}

/** Local time to the second. */
export function formatExact(seconds: number): string {
  return inRange(seconds) ? exactDate.format(seconds * 1000) : String(seconds);
}

/** Local time of day to the second. */
export function formatClock(seconds: number): string {
  return inRange(seconds) ? clock.format(seconds * 1000) : String(seconds);
}

/** For files and machines: 2014-09-05T03:00:00Z. */
export function formatIso(seconds: number): string {
  return inRange(seconds) ? new Date(seconds * 1000).toISOString().replace(".000Z", "Z") : String(seconds);
}

/** A member of the report: its value, and its unit unless that is `count`. */
export function formatReading(value: unknown, representation: string): string {
  const unit = representation === "" || representation === "count" ? "" : ` ${representation}`;
  if (typeof value === "number") return (representation === "" ? String(value) : formatNumber(value)) + unit;
  return (typeof value === "string" ? value : (JSON.stringify(value) ?? "")) + unit;
}
