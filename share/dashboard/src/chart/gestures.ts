// Mouse, wheel and fingers on a graph: drag to zoom (uPlot's own), shift-drag to pan, double-click to zoom out,
// ctrl-wheel and two fingers to zoom, one finger to pan what is zoomed.

import uPlot from "uplot";

export interface GestureTarget {
  range(): [number, number];
  limits(): [number, number];
  moved(from: number, to: number): void;
  reset(): void;
}

type Handler = (event: MouseEvent) => null;

/** `[from, to]` moved by `by` seconds, but not past the limits. */
export function pan([from, to]: [number, number], by: number, [first, last]: [number, number]): [number, number] {
  const allowed = Math.min(Math.max(by, Math.min(0, first - from)), Math.max(0, last - to));
  return [from + allowed, to + allowed];
}

/** `[from, to]` made `factor` times as long around `center`, within the limits. */
export function zoom(
  [from, to]: [number, number],
  factor: number,
  center: number,
  [first, last]: [number, number],
): [number, number] {
  const low = Math.max(Math.min(first, from), center - (center - from) * factor);
  const high = Math.min(Math.max(last, to), center + (to - center) * factor);
  return high - low < 1 ? [from, to] : [low, high];
}

export class Gestures {
  private plot: uPlot | undefined;
  private stop = new AbortController();
  private fingers = new Map<number, number>();

  constructor(private readonly target: GestureTarget) {}

  /** uPlot's own handlers, with ours before them. */
  bindings(): uPlot.Cursor.Bind {
    return {
      mousedown:
        (_, __, handler): Handler =>
        (event) => {
          if (!event.shiftKey || event.button !== 0) return handler(event) as null;
          this.startPan(event);
          return null;
        },
      dblclick: (): Handler => () => {
        this.target.reset();
        return null;
      },
    };
  }

  attach(plot: uPlot): void {
    this.plot = plot;
    const { signal } = this.stop;
    const { over } = plot;
    // Shift would select text; uPlot's own listeners cannot prevent that, because they are passive.
    over.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault(), { signal, passive: false });
    over.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
    over.addEventListener("pointerdown", (event) => this.touch(event), { signal });
    over.addEventListener("pointermove", (event) => this.drag(event), { signal });
    for (const end of ["pointerup", "pointercancel", "pointerleave"] as const) {
      over.addEventListener(end, (event) => this.fingers.delete(event.pointerId), { signal });
    }
  }

  detach(): void {
    this.stop.abort();
    this.plot = undefined;
  }

  private startPan(start: MouseEvent): void {
    const { plot } = this;
    if (!plot) return;
    const range = this.target.range();
    const perPixel = (range[1] - range[0]) / plot.over.clientWidth;
    const ended = new AbortController();
    const signal = AbortSignal.any?.([ended.signal, this.stop.signal]) ?? ended.signal;
    const move = (event: MouseEvent): void => {
      this.target.moved(...pan(range, (start.clientX - event.clientX) * perPixel, this.target.limits()));
    };
    document.addEventListener("mousemove", move, { signal });
    document.addEventListener("mouseup", () => ended.abort(), { signal });
  }

  private wheel(event: WheelEvent): void {
    const { plot } = this;
    // A bare wheel scrolls the page.
    if (!plot || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const center = plot.posToVal(event.offsetX, "x");
    const factor = Math.exp(Math.max(-40, Math.min(40, event.deltaY)) / 200);
    this.target.moved(...zoom(this.target.range(), factor, center, this.target.limits()));
  }

  private touch(event: PointerEvent): void {
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, event.clientX);
  }

  private drag(event: PointerEvent): void {
    const { plot, fingers } = this;
    const before = fingers.get(event.pointerId);
    if (!plot || before === undefined || event.pointerType !== "touch") return;
    const range = this.target.range();
    const limits = this.target.limits();
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const moved = event.clientX - before;
    fingers.set(event.pointerId, event.clientX);
    if (other === undefined) {
      const perPixel = (range[1] - range[0]) / plot.over.clientWidth;
      this.target.moved(...pan(range, -moved * perPixel, limits));
      return;
    }
    const wasApart = Math.abs(before - other);
    const isApart = Math.abs(event.clientX - other);
    if (wasApart < 10 || isApart < 10) return;
    const middle = (event.clientX + other) / 2 - plot.over.getBoundingClientRect().left;
    this.target.moved(...zoom(range, wasApart / isApart, plot.posToVal(middle, "x"), limits));
  }
}
