// A layered drawing of the dataflow, from left to right: columns, order, heights, then the lines.

import { settle } from "./align";
import { type Arc, assignLayers, backArcs } from "./layers";
import { orderLayers } from "./order";

export interface Size {
  width: number;
  height: number;
}

export interface Box extends Size {
  /** Upper left corner. */
  x: number;
  y: number;
  column: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Line {
  /** SVG path. */
  path: string;
  /** Where a label stands, and on which side of that point it begins. */
  label: Point & { anchor: "start" | "end" };
  back: boolean;
}

export interface Layout extends Size {
  boxes: Box[];
  /** One per edge, in the edges' order. */
  lines: Line[];
}

const COLUMN_GAP = 92;
const ROW_GAP = 18;
/** A long edge takes this much room where it passes between nodes. */
const LANE = 14;
const MARGIN = 16;
const SWEEPS = 10;
const LANE_WEIGHT = 6;

/** Lays out nodes of the given sizes and the edges between them (by the nodes' indices). */
export function layOut(sizes: readonly Size[], edges: readonly Arc[]): Layout {
  if (sizes.length === 0) return { width: 0, height: 0, boxes: [], lines: [] };
  const back = backArcs(sizes.length, edges);
  const forward = edges.filter((_, index) => !back.has(index));
  const columnOf = assignLayers(sizes.length, forward);

  // An edge over several columns gets a stop in each, so that nothing is drawn across a node.
  const heights = sizes.map(({ height }) => height);
  const chains: number[][] = [];
  const arcs: Arc[] = [];
  for (const { from, to } of forward) {
    const chain = [from];
    for (let column = (columnOf[from] ?? 0) + 1; column < (columnOf[to] ?? 0); column++) {
      columnOf.push(column);
      heights.push(0);
      chain.push(heights.length - 1);
    }
    chain.push(to);
    chains.push(chain);
    for (let i = 0; i + 1 < chain.length; i++) arcs.push({ from: chain[i] ?? 0, to: chain[i + 1] ?? 0 });
  }
  const columns: number[][] = Array.from({ length: Math.max(...columnOf) + 1 }, () => []);
  for (const [node, column] of columnOf.entries()) columns[column]?.push(node);

  const ordered = orderLayers(columns, arcs);
  const middles = alignColumns(ordered, arcs, heights, sizes.length);
  const widths = ordered.map((column) => Math.max(40, ...column.map((node) => sizes[node]?.width ?? 0)));
  const lefts: number[] = [];
  for (const [index] of widths.entries()) {
    lefts.push(index === 0 ? MARGIN : (lefts[index - 1] ?? 0) + (widths[index - 1] ?? 0) + COLUMN_GAP);
  }
  const boxes = sizes.map(({ width, height }, node): Box => {
    const column = columnOf[node] ?? 0;
    const x = (lefts[column] ?? 0) + ((widths[column] ?? 0) - width) / 2;
    return { x, y: (middles[node] ?? 0) - height / 2, width, height, column };
  });

  const bottom = Math.max(...boxes.map(({ y, height }) => y + height), ...middles);
  const busy = degrees(edges);
  let next = 0;
  const lines = edges.map((edge, index): Line => {
    const from = boxes[edge.from];
    const to = boxes[edge.to];
    if (!from || !to) return { path: "", label: { x: 0, y: 0, anchor: "start" }, back: false };
    if (back.has(index)) return loop(from, to, bottom + 28);
    const chain = chains[next++] ?? [];
    const stops = chain.slice(1, -1).map((node): Point & { width: number } => {
      const column = columnOf[node] ?? 0;
      return { x: lefts[column] ?? 0, y: middles[node] ?? 0, width: widths[column] ?? 0 };
    });
    return forwardLine(from, to, stops, (busy.out[edge.from] ?? 0) >= (busy.in[edge.to] ?? 0));
  });
  const right = Math.max(...boxes.map(({ x, width }) => x + width));
  return {
    width: right + MARGIN + (back.size > 0 ? 28 : 0),
    height: bottom + MARGIN + (back.size > 0 ? 28 : 0),
    boxes,
    lines,
  };
}

/** The middle of every node and stop, from the top on. */
function alignColumns(columns: number[][], arcs: readonly Arc[], heights: number[], nodes: number): number[] {
  const near: number[][][] = [heights.map(() => []), heights.map(() => [])]; // before, after
  for (const { from, to } of arcs) {
    near[0]?.[to]?.push(from);
    near[1]?.[from]?.push(to);
  }
  const room = (node: number): number => (node < nodes ? (heights[node] ?? 0) + ROW_GAP : LANE);
  const middles = new Array<number>(heights.length).fill(0);
  for (const column of columns) {
    for (const [index, at] of settle(column.map((node) => ({ at: 0, weight: 1, room: room(node) }))).entries()) {
      middles[column[index] ?? 0] = at;
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const last = sweep >= SWEEPS - 2;
    for (const column of sweep % 2 === 0 ? columns : [...columns].reverse()) {
      const wishes = column.map((node) => {
        // The last rounds look both ways, so that a router stands in the middle of what it serves.
        const sides = last ? [...(near[0]?.[node] ?? []), ...(near[1]?.[node] ?? [])] : (near[sweep % 2]?.[node] ?? []);
        const mean = sides.reduce((sum, other) => sum + (middles[other] ?? 0), 0) / sides.length;
        const straight = node >= nodes || sides.some((other) => other >= nodes);
        return {
          at: sides.length === 0 ? (middles[node] ?? 0) : mean,
          weight: straight ? LANE_WEIGHT : 1,
          room: room(node),
        };
      });
      for (const [index, at] of settle(wishes).entries()) middles[column[index] ?? 0] = at;
    }
  }
  const top = Math.min(...middles.map((middle, node) => middle - (heights[node] ?? 0) / 2));
  return middles.map((middle) => middle - top + MARGIN);
}

function degrees(edges: readonly Arc[]): { out: Record<number, number>; in: Record<number, number> } {
  const count = { out: {} as Record<number, number>, in: {} as Record<number, number> };
  for (const { from, to } of edges) {
    count.out[from] = (count.out[from] ?? 0) + 1;
    count.in[to] = (count.in[to] ?? 0) + 1;
  }
  return count;
}

const round = (n: number): number => Math.round(n * 10) / 10;

/** From right to left edge, through the stops, with level tangents. */
function forwardLine(from: Box, to: Box, stops: (Point & { width: number })[], labelAtEnd: boolean): Line {
  const start = { x: from.x + from.width, y: from.y + from.height / 2 };
  const end = { x: to.x, y: to.y + to.height / 2 };
  const parts = [`M${round(start.x)} ${round(start.y)}`];
  let at: Point = start;
  const curve = (x: number, y: number): void => {
    const half = (x - at.x) / 2;
    parts.push(`C${round(at.x + half)} ${round(at.y)} ${round(x - half)} ${round(y)} ${round(x)} ${round(y)}`);
    at = { x, y };
  };
  for (const stop of stops) {
    curve(stop.x, stop.y);
    parts.push(`H${round(stop.x + stop.width)}`);
    at = { x: stop.x + stop.width, y: stop.y };
  }
  curve(end.x, end.y);
  const label = labelAtEnd
    ? { x: round(end.x - 10), y: round(end.y), anchor: "end" as const }
    : { x: round(start.x + 8), y: round(start.y), anchor: "start" as const };
  return { path: parts.join(""), label, back: false };
}

/** Out on the right, down to a lane below everything, back, and in on the left: all loops share the lane. */
function loop(from: Box, to: Box, lane: number): Line {
  const start = { x: from.x + from.width, y: from.y + from.height / 2 };
  const end = { x: to.x, y: to.y + to.height / 2 };
  const [right, left, r] = [start.x + 20, end.x - 24, 10];
  const path = [
    `M${round(start.x)} ${round(start.y)}`,
    `H${round(right - r)}Q${round(right)} ${round(start.y)} ${round(right)} ${round(start.y + r)}`,
    `V${round(lane - r)}Q${round(right)} ${round(lane)} ${round(right - r)} ${round(lane)}`,
    `H${round(left + r)}Q${round(left)} ${round(lane)} ${round(left)} ${round(lane - r)}`,
    `V${round(end.y + r)}Q${round(left)} ${round(end.y)} ${round(left + r)} ${round(end.y)}`,
    `H${round(end.x)}`,
  ].join("");
  return { path, label: { x: round(start.x + 4), y: round(start.y), anchor: "start" }, back: true };
}
