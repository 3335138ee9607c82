// The drawing of one circular buffer: uPlot's canvas, with our scales, inks, marks and gestures.

import uPlot from "uplot";
import { type Annotation, type CircularBuffer, shapeOf } from "../data/cbuf";
import { type ChartOptions } from "../data/options";
import { formatShort } from "../data/units";
import { blend, fade } from "./color";
import { Gestures } from "./gestures";
import { colorOf, dashOf, type Ink, readInk } from "./palette";
import { drawable, stack, type Values } from "./stack";
import { timeLabels } from "./ticks";

export interface PlotSpec {
  buffer: CircularBuffer;
  options: ChartOptions;
  /** Series that are switched off. */
  hidden: ReadonlySet<number>;
  log: boolean;
  /** Seconds from, to. */
  range: [number, number];
  height: number;
}

export interface Flag {
  note: Annotation;
  /** CSS pixels from the drawing's corner. */
  left: number;
  top: number;
}

export interface Cursor {
  row: number;
  /** CSS pixels from the drawing's corner. */
  left: number;
  top: number;
}

export interface PlotEvents {
  zoomed(from: number, to: number): void;
  reset(): void;
  cursor(cursor: Cursor | undefined): void;
  /** The flags' places changed. */
  flags(flags: Flag[]): void;
}

/** More flags than this hide the lines; the rest are in the list below the graph. */
export const MAX_FLAGS = 150;
const SYNC_KEY = "time";

export class Plot {
  private plot: uPlot;
  private ink: Ink;
  private shape: string;
  private sizes: ResizeObserver;

  constructor(
    private readonly mount: HTMLElement,
    private spec: PlotSpec,
    private readonly events: PlotEvents,
  ) {
    this.ink = readInk();
    this.shape = this.shapeNow();
    this.plot = this.build();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(mount);
  }

  /** Draws something else. */
  update(spec: PlotSpec): void {
    this.spec = spec;
    const shape = this.shapeNow();
    if (shape !== this.shape) {
      this.shape = shape;
      this.rebuild();
      return;
    }
    const { plot } = this;
    plot.batch(() => {
      for (const [index] of spec.buffer.columns.entries()) {
        const show = !spec.hidden.has(index);
        if (plot.series[index + 1]?.show !== show) plot.setSeries(index + 1, { show });
      }
      plot.setData(this.data(), false);
      plot.setScale("x", { min: spec.range[0], max: spec.range[1] });
    });
  }

  /** Draws with the colours of the theme that is now in force. */
  recolor(): void {
    this.ink = readInk();
    this.rebuild();
  }

  /** Brings one series out, or none. */
  highlight(series: number | undefined): void {
    this.plot.setSeries(series === undefined ? null : series + 1, { focus: series !== undefined });
  }

  /** Puts the cursor on a row. */
  point(row: number): void {
    const { plot, spec } = this;
    const time = spec.buffer.times[row];
    if (time === undefined) return;
    const height = plot.over.clientHeight;
    plot.setCursor({ left: plot.valToPos(time, "x"), top: height / 2 });
  }

  destroy(): void {
    this.sizes.disconnect();
    this.plot.destroy();
  }

  private shapeNow(): string {
    const { buffer, log, height } = this.spec;
    return `${shapeOf(buffer)} ${log} ${height}`;
  }

  private rebuild(): void {
    this.plot.destroy();
    this.plot = this.build();
  }

  private resize(): void {
    const width = this.mount.clientWidth;
    if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.spec.height });
  }

  private data(): uPlot.AlignedData {
    const { buffer, options, hidden, log } = this.spec;
    const edges = options.stacked
      ? stack(
          buffer.values,
          buffer.columns.map((_, i) => !hidden.has(i)),
        )
      : buffer.values;
    return [buffer.times, ...edges.map((values) => drawable(values, log))];
  }

  private build(): uPlot {
    const { spec, ink, mount, events } = this;
    const { options, log } = spec;
    const gestures = new Gestures({
      range: () => this.spec.range,
      limits: () => this.limits(),
      moved: events.zoomed,
      reset: events.reset,
    });
    const axis = { stroke: ink.muted, font: ink.font, ticks: { stroke: ink.axis, width: 1, size: 4 } };
    const data = this.data();
    return new uPlot(
      {
        width: Math.max(120, mount.clientWidth),
        height: spec.height,
        legend: { show: false },
        padding: [12, 12, 0, 0],
        focus: { alpha: 0.2 },
        // Stacked areas are opaque, so the grid goes over them.
        drawOrder: (options.stacked ? ["series", "axes"] : ["axes", "series"]) as uPlot.DrawOrderKey[],
        cursor: {
          drag: { x: true, y: false, setScale: false },
          sync: { key: SYNC_KEY, setSeries: false },
          points: { size: 7 },
          bind: gestures.bindings(),
        },
        scales: {
          x: { time: true, auto: false, min: spec.range[0], max: spec.range[1] },
          y: { distr: log ? 3 : 1, range: (_, min, max) => this.valueRange(min, max) },
        },
        axes: [
          {
            ...axis,
            grid: { stroke: ink.grid, width: 1 },
            size: options.xlabel === undefined ? 44 : 40,
            space: 70,
            values: (_, splits, __, ___, step) => timeLabels(splits, step),
            ...(options.xlabel !== undefined && { label: options.xlabel, labelFont: ink.font, labelSize: 18 }),
          },
          {
            ...axis,
            grid: { stroke: ink.grid, width: 1 },
            size: 52,
            values: (_, splits) => splits.map((value) => (value === null ? "" : formatShort(value))),
            ...(options.ylabel !== undefined && { label: options.ylabel, labelFont: ink.font, labelSize: 18 }),
          },
        ],
        series: [{}, ...spec.buffer.columns.map((_, index) => this.series(index))],
        hooks: {
          ready: [(plot) => gestures.attach(plot)],
          destroy: [() => gestures.detach()],
          setSelect: [(plot) => this.selected(plot)],
          setCursor: [(plot) => this.pointed(plot)],
          draw: [(plot) => this.marks(plot)],
        },
      },
      data,
      mount,
    );
  }

  private series(index: number): uPlot.Series {
    const { options, hidden, buffer } = this.spec;
    const color = colorOf(index, this.ink, options.colors);
    const fill = options.stacked
      ? blend(color, this.ink.surface, 0.35)
      : options.fill || buffer.columns.length === 1
        ? fade(color, 0.12)
        : undefined;
    return {
      show: !hidden.has(index),
      stroke: color,
      width: 1.5,
      dash: dashOf(index),
      spanGaps: options.connectGaps,
      ...(fill !== undefined && { fill }),
      ...(options.points && { points: { show: true, size: 5 } }),
    };
  }

  /** The first and the last time there is. */
  private limits(): [number, number] {
    const { times } = this.spec.buffer;
    return [times[0] ?? 0, times.at(-1) ?? 1];
  }

  private valueRange(min: number | null, max: number | null): [number, number] {
    const { options, log } = this.spec;
    if (log) {
      const fixed = options.range && options.range[0] > 0 ? options.range : undefined;
      if (fixed) return fixed;
      if (min === null || max === null || min <= 0) return [1, 100];
      const [low, high] = uPlot.rangeLog(min, max, 10, false);
      return [low ?? min, high ?? max];
    }
    if (options.range) return options.range;
    if (min === null || max === null) return [0, 1];
    // Zero belongs to stacked and filled areas, and to values that come near it anyway.
    const zero = options.stacked || options.fill || options.includeZero || (min > 0 && min < max / 2);
    const low = zero ? Math.min(0, min) : min;
    const high = zero ? Math.max(0, max) : max;
    const room = (high - low || Math.abs(high) || 1) * 0.08;
    return [low === 0 ? 0 : low - room, high === 0 ? 0.0001 : high + room];
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const from = plot.posToVal(left, "x");
    const to = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.events.zoomed(from, to);
  }

  private pointed(plot: uPlot): void {
    const { idx, left, top } = plot.cursor;
    const time = idx == null ? undefined : this.spec.buffer.times[idx];
    if (idx == null || time === undefined || left === undefined || left < 0) {
      this.events.cursor(undefined);
      return;
    }
    const { offsetLeft, offsetTop } = plot.over;
    this.events.cursor({ row: idx, left: plot.valToPos(time, "x") + offsetLeft, top: (top ?? 0) + offsetTop });
  }

  /** Marks what lines cannot show: infinities at the edge, and annotations as flags. */
  private marks(plot: uPlot): void {
    const { buffer, hidden, options, range } = this.spec;
    const { ctx, bbox } = plot;
    const size = 5 * uPlot.pxRatio;
    ctx.save();
    for (const [index, values] of buffer.values.entries()) {
      if (hidden.has(index)) continue;
      ctx.fillStyle = colorOf(index, this.ink, options.colors);
      for (const [row, value] of values.entries()) {
        const time = buffer.times[row];
        if (value === null || Number.isFinite(value) || time === undefined || time < range[0] || time > range[1])
          continue;
        const x = plot.valToPos(time, "x", true);
        const up = value > 0 ? 1 : -1;
        const tip = value > 0 ? bbox.top + 1 : bbox.top + bbox.height - 1;
        ctx.beginPath();
        ctx.moveTo(x, tip);
        ctx.lineTo(x - size, tip + up * size * 1.5);
        ctx.lineTo(x + size, tip + up * size * 1.5);
        ctx.fill();
      }
    }
    ctx.restore();
    this.events.flags(this.flags(plot));
  }

  private flags(plot: uPlot): Flag[] {
    const { buffer, hidden, range } = this.spec;
    const { offsetLeft, offsetTop, clientHeight } = plot.over;
    const flags: Flag[] = [];
    for (const note of buffer.annotations) {
      const time = note.x / 1000;
      if (time < range[0] || time > range[1] || hidden.has(note.col - 1) || flags.length >= MAX_FLAGS) continue;
      const row = Math.round((time - (buffer.times[0] ?? 0)) / buffer.secondsPerRow);
      const value = (plot.data[note.col] as Values | undefined)?.[row];
      // Where the line has a gap, the flag stands on the axis.
      const y = value == null ? clientHeight : plot.valToPos(value, "y");
      const top = Math.max(26, Math.min(clientHeight, y)) + offsetTop;
      flags.push({ note, left: plot.valToPos(time, "x") + offsetLeft, top });
    }
    return flags;
  }
}
