// First step of the layout: which column each node stands in.

export interface Arc {
  from: number;
  to: number;
}

/** Arcs that close a loop, in a search from the nodes without predecessors on; the rest has no loop. */
export function backArcs(count: number, arcs: readonly Arc[]): Set<number> {
  const out: number[][] = Array.from({ length: count }, () => []);
  const indegree = new Array<number>(count).fill(0);
  for (const [index, { from, to }] of arcs.entries()) {
    out[from]?.push(index);
    indegree[to] = (indegree[to] ?? 0) + 1;
  }
  const state = new Array<0 | 1 | 2>(count).fill(0); // not seen, on the path, done
  const back = new Set<number>();
  const roots = [...Array(count).keys()].sort((a, b) => Number(indegree[a] !== 0) - Number(indegree[b] !== 0));
  for (const root of roots) {
    if (state[root] !== 0) continue;
    state[root] = 1;
    const path = [{ node: root, next: 0 }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const index = out[top.node]?.[top.next++];
      if (index === undefined) {
        state[top.node] = 2;
        path.pop();
        continue;
      }
      const to = arcs[index]?.to ?? 0;
      if (state[to] === 1) back.add(index);
      else if (state[to] === 0) {
        state[to] = 1;
        path.push({ node: to, next: 0 });
      }
    }
  }
  return back;
}

/**
 * The column of every node: one after its last predecessor. A node without predecessors stands just before its first
 * successor. `arcs` must have no loop.
 */
export function assignLayers(count: number, arcs: readonly Arc[]): number[] {
  const out: number[][] = Array.from({ length: count }, () => []);
  const waiting = new Array<number>(count).fill(0);
  for (const { from, to } of arcs) {
    out[from]?.push(to);
    waiting[to] = (waiting[to] ?? 0) + 1;
  }
  const indegree = [...waiting];
  const layers = new Array<number>(count).fill(0);
  const ready = [...layers.keys()].filter((node) => waiting[node] === 0);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    for (const to of out[node] ?? []) {
      layers[to] = Math.max(layers[to] ?? 0, (layers[node] ?? 0) + 1);
      waiting[to] = (waiting[to] ?? 0) - 1;
      if (waiting[to] === 0) ready.push(to);
    }
  }
  for (const [node, targets] of out.entries()) {
    if (indegree[node] !== 0 || targets.length === 0) continue;
    layers[node] = Math.max(0, Math.min(...targets.map((to) => layers[to] ?? 0)) - 1);
  }
  return layers;
}
