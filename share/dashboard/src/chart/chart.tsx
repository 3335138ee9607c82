// A graph that can be read with eyes, mouse, fingers, keyboard and screen reader.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Annotation, type CircularBuffer, columnLabel } from "../data/cbuf";
import { type ChartOptions } from "../data/options";
import { formatExact, formatNumber } from "../data/units";
import { onThemeChange } from "../ui/theme-choice";
import { pan, zoom } from "./gestures";
import { type Cursor, type Flag, Plot, type PlotSpec } from "./plot";
import { Swatch } from "./swatch";

interface Props {
  label: string;
  buffer: CircularBuffer;
  options: ChartOptions;
  hidden: ReadonlySet<number>;
  log: boolean;
  range: [number, number];
  height: number;
  /** A series that is pointed at elsewhere. */
  highlighted: number | undefined;
  onRange(from: number, to: number): void;
  onReset(): void;
  onCursor(row: number | undefined): void;
}

export function Chart(props: Props) {
  const { label, buffer, options, hidden, log, range, height, highlighted } = props;
  const mount = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const [cursor, setCursor] = useState<Cursor>();
  const [flags, setFlags] = useState<Flag[]>([]);
  const [spoken, setSpoken] = useState("");
  // The plot lives longer than one drawing, so it calls whatever the latest properties say.
  const latest = useRef(props);
  latest.current = props;

  const [from, to] = range;
  const spec = useMemo(
    (): PlotSpec => ({ buffer, options, hidden, log, range: [from, to], height }),
    [buffer, options, hidden, log, from, to, height],
  );

  useEffect(() => {
    if (!mount.current) return;
    const made = new Plot(mount.current, spec, {
      zoomed: (low, high) => latest.current.onRange(low, high),
      reset: () => latest.current.onReset(),
      cursor: (next) => {
        setCursor(next);
        latest.current.onCursor(next?.row);
      },
      flags: (next) => setFlags((before) => (sameFlags(before, next) ? before : next)),
    });
    plot.current = made;
    const stop = onThemeChange(() => made.recolor());
    return () => {
      stop();
      made.destroy();
      plot.current = undefined;
    };
  }, []);
  useEffect(() => plot.current?.update(spec), [spec]);
  useEffect(() => plot.current?.highlight(highlighted), [highlighted]);

  const speak = (row: number): void => setSpoken(describeRow(buffer, hidden, row));
  const keys = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
    const limits: [number, number] = [buffer.times[0] ?? 0, buffer.times.at(-1) ?? 1];
    const first = Math.max(0, Math.ceil((from - limits[0]) / buffer.secondsPerRow));
    const last = Math.min(buffer.times.length - 1, Math.floor((to - limits[0]) / buffer.secondsPerRow));
    const at = cursor?.row ?? last + 1;
    const go = (row: number): void => {
      const next = Math.max(first, Math.min(last, row));
      plot.current?.point(next);
      speak(next);
    };
    const middle = cursor ? (buffer.times[cursor.row] ?? (from + to) / 2) : (from + to) / 2;
    const page = (to - from) / 4;
    const leap = Math.max(1, Math.round((last - first) / 20));
    const actions: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? props.onRange(...pan(range, -page, limits)) : go(at - 1)),
      ArrowRight: () => (event.shiftKey ? props.onRange(...pan(range, page, limits)) : go(cursor ? at + 1 : first)),
      PageUp: () => go(at - leap),
      PageDown: () => go(at + leap),
      Home: () => go(first),
      End: () => go(last),
      "+": () => props.onRange(...zoom(range, 0.5, middle, limits)),
      "=": () => props.onRange(...zoom(range, 0.5, middle, limits)),
      "-": () => props.onRange(...zoom(range, 2, middle, limits)),
      "0": () => props.onReset(),
      Escape: () => props.onReset(),
    };
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <div class="chart">
      <div
        class="chart-mount"
        ref={mount}
        tabIndex={0}
        role="application"
        aria-roledescription="graph"
        aria-label={`${label}. Arrow keys read values, plus and minus zoom, shift and arrows pan, 0 shows everything.`}
        onKeyDown={keys}
        style={{ height: `${height}px` }}
      />
      {flags.map((flag) => (
        <FlagMark key={flagKey(flag.note)} flag={flag} color={flag.note.col - 1} options={options} />
      ))}
      {cursor && <Tooltip cursor={cursor} buffer={buffer} hidden={hidden} options={options} />}
      <div class="sr-only" aria-live="polite">
        {spoken}
      </div>
    </div>
  );
}

const flagKey = (note: Annotation): string => `${note.x} ${note.col} ${note.shortText} ${note.text}`;

function sameFlags(a: Flag[], b: Flag[]): boolean {
  return (
    a.length === b.length &&
    a.every((flag, i) => {
      const other = b[i];
      return other !== undefined && flag.note === other.note && flag.left === other.left && flag.top === other.top;
    })
  );
}

function FlagMark({ flag, color, options }: { flag: Flag; color: number; options: ChartOptions }) {
  const { note, left, top } = flag;
  const place = { transform: `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px)` };
  return (
    <div class={`flag ${note.severity}`} style={place}>
      <span class="flag-pole" aria-hidden="true" />
      <button type="button" class="flag-sign" aria-label={`Annotation ${note.shortText}: ${note.text}`}>
        {note.shortText.slice(0, 4)}
      </button>
      <span class="flag-text" aria-hidden="true">
        <b>{formatExact(note.x / 1000)}</b> <Swatch series={color} chosen={options.colors} /> {note.text}
      </span>
    </div>
  );
}

/** More lines than this would cover the graph; the legend shows them all. */
const TOOLTIP_LINES = 10;

function Tooltip(props: {
  cursor: Cursor;
  buffer: CircularBuffer;
  hidden: ReadonlySet<number>;
  options: ChartOptions;
}) {
  const { cursor, buffer, hidden, options } = props;
  const shown = buffer.columns.flatMap((column, series) => (hidden.has(series) ? [] : [{ column, series }]));
  const box = useRef<HTMLDivElement>(null);
  const room = box.current?.parentElement?.clientWidth ?? 600;
  const toLeft = cursor.left > room / 2;
  const style = toLeft
    ? { right: `${(room - cursor.left + 14).toFixed(0)}px`, left: "auto" }
    : { left: `${(cursor.left + 14).toFixed(0)}px`, right: "auto" };
  return (
    <div class="tooltip" ref={box} style={style} aria-hidden="true">
      <div class="tooltip-head">{formatExact(buffer.times[cursor.row] ?? 0)}</div>
      {shown.slice(0, TOOLTIP_LINES).map(({ column, series }) => (
        <div class="tooltip-line" key={series}>
          <Swatch series={series} chosen={options.colors} />
          <span class="tooltip-name">{column.name}</span>
          <b class="num">{formatCell(buffer.values[series]?.[cursor.row])}</b>
        </div>
      ))}
      {shown.length > TOOLTIP_LINES && <div class="muted">and {shown.length - TOOLTIP_LINES} more in the legend</div>}
    </div>
  );
}

/** A cell's value; a dash for a gap. */
export function formatCell(value: number | null | undefined): string {
  return value == null ? "–" : formatNumber(value);
}

function describeRow(buffer: CircularBuffer, hidden: ReadonlySet<number>, row: number): string {
  const values = buffer.columns.flatMap((column, series) =>
    hidden.has(series) ? [] : [`${columnLabel(column)} ${formatCell(buffer.values[series]?.[row])}`],
  );
  return `${formatExact(buffer.times[row] ?? 0)}: ${values.join(", ")}`;
}
