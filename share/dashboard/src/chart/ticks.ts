// Labels of the time axis: local time on a 24 hour clock, with the date where a new day begins.

const DAY = 86400;

const formats = {
  second: new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  minute: new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  day: new Intl.DateTimeFormat("en", { month: "short", day: "numeric" }),
  year: new Intl.DateTimeFormat("en", { month: "short", day: "numeric", year: "numeric" }),
};

/** One label per split, for splits that are `step` seconds apart. */
export function timeLabels(splits: readonly number[], step: number): string[] {
  const now = new Date().getFullYear();
  let before = "";
  return splits.map((seconds) => {
    if (!(Math.abs(seconds) < 8.64e12)) return "";
    const date = new Date(seconds * 1000);
    const day = (date.getFullYear() === now ? formats.day : formats.year).format(date);
    const isNewDay = day !== before;
    before = day;
    if (step >= DAY) return day;
    const time = (step < 60 ? formats.second : formats.minute).format(date);
    return isNewDay ? `${time}\n${day}` : time;
  });
}
