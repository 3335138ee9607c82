// Series stacked on one another: the first on top, as the graphs always were.

export type Values = (number | null)[];

/**
 * The upper edge of every visible series when each stands on the visible ones after it. A gap adds nothing to the
 * series above it and stays a gap itself.
 */
export function stack(values: readonly Values[], visible: readonly boolean[]): Values[] {
  const rows = values[0]?.length ?? 0;
  const base = new Array<number>(rows).fill(0);
  const edges: Values[] = values.map(() => []);
  for (let series = values.length - 1; series >= 0; series--) {
    const from = values[series] ?? [];
    if (!visible[series]) {
      edges[series] = from.map(() => null);
      continue;
    }
    edges[series] = from.map((value, row) => {
      if (value === null || !Number.isFinite(value)) return null;
      return (base[row] = (base[row] ?? 0) + value);
    });
  }
  return edges;
}

/** What can be drawn: no infinities, and on a logarithmic axis nothing at or below zero. */
export function drawable(values: Values, log: boolean): Values {
  return values.map((value) => (value === null || !Number.isFinite(value) || (log && value <= 0) ? null : value));
}
