// Second step of the layout: the order within each column, so that few edges cross.

import { type Arc } from "./layers";

const SWEEPS = 12;

/**
 * Orders `layers` (nodes per column). Arcs join neighbouring columns only. Nodes go to the mean place of their
 * neighbours, column by column, forth and back; the best order met on the way is the result.
 */
export function orderLayers(layers: readonly number[][], arcs: readonly Arc[]): number[][] {
  const before = new Map<number, number[]>();
  const after = new Map<number, number[]>();
  for (const { from, to } of arcs) {
    push(after, from, to);
    push(before, to, from);
  }
  let current = layers.map((layer) => [...layer]);
  let best = current;
  let fewest = crossings(current, after);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const forth = sweep % 2 === 0;
    current = current.map((layer) => [...layer]);
    const columns = [...current.keys()];
    for (const column of forth ? columns.slice(1) : columns.slice(0, -1).reverse()) {
      const fixed = current[column + (forth ? -1 : 1)] ?? [];
      current[column] = sortByNeighbours(current[column] ?? [], fixed, forth ? before : after);
    }
    const count = crossings(current, after);
    if (count < fewest) {
      fewest = count;
      best = current;
    }
  }
  return best;
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function sortByNeighbours(layer: number[], fixed: number[], neighbours: Map<number, number[]>): number[] {
  const place = new Map(fixed.map((node, index) => [node, index]));
  const keyed = layer.map((node, index) => {
    const near = (neighbours.get(node) ?? []).flatMap((other) => place.get(other) ?? []);
    const mean = near.reduce((sum, at) => sum + at, 0) / near.length;
    // A node without neighbours keeps its place.
    return { node, key: near.length === 0 ? (index / Math.max(1, layer.length)) * fixed.length : mean, index };
  });
  return keyed.sort((a, b) => a.key - b.key || a.index - b.index).map(({ node }) => node);
}

/** How many pairs of arcs cross, counted column by column with a tree of sums. */
export function crossings(layers: readonly number[][], after: ReadonlyMap<number, number[]>): number {
  let total = 0;
  for (let column = 0; column + 1 < layers.length; column++) {
    const right = layers[column + 1] ?? [];
    const place = new Map(right.map((node, index) => [node, index]));
    const tree = new Array<number>(right.length + 1).fill(0);
    let seen = 0;
    for (const node of layers[column] ?? []) {
      const ends = (after.get(node) ?? []).flatMap((to) => place.get(to) ?? []);
      for (const end of ends) {
        let below = 0;
        for (let i = end + 1; i > 0; i -= i & -i) below += tree[i] ?? 0;
        total += seen - below;
      }
      for (const end of ends) {
        seen++;
        for (let i = end + 1; i <= right.length; i += i & -i) tree[i] = (tree[i] ?? 0) + 1;
      }
    }
  }
  return total;
}
