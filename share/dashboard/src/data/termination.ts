// heka_sandbox_termination.tsv: one line per sandbox that was terminated.

export interface Termination {
  /** Seconds since 1970. */
  time: number;
  plugin: string;
  message: string;
  /** Counters of a filter that was terminated for being slow. */
  counters: [string, number][];
}

const COUNTERS = /(?: [A-Z][A-Za-z]*:-?\d+){7}$/;

/** Reads the file in its order; equal lines stay apart, empty ones are left out. */
export function parseTerminations(text: string): Termination[] {
  return text.split("\n").flatMap((line) => {
    const [time, plugin, ...rest] = line.split("\t");
    if (time === undefined || plugin === undefined || !/^\d+(\.\d+)?$/.test(time)) return [];
    const payload = rest.join("\t");
    const tail = COUNTERS.exec(payload)?.[0] ?? "";
    const counters = tail
      .trim()
      .split(" ")
      .filter((pair) => pair !== "")
      .map((pair): [string, number] => {
        const colon = pair.indexOf(":");
        return [pair.slice(0, colon), Number(pair.slice(colon + 1))];
      });
    const message = payload.slice(0, payload.length - tail.length);
    return [{ time: Number(time), plugin: unescape(plugin), message: unescape(message), counters }];
  });
}

/** Undoes the escapes of a line break and a tab, which would otherwise end the line or the column. */
function unescape(text: string): string {
  return text.replace(/\\([nt])/g, (_, c: string) => (c === "n" ? "\n" : "\t"));
}
