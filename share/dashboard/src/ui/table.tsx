// A table whose rows can be sorted by any column.

import { type ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icon";

export interface TableColumn<Row> {
  id: string;
  title: string;
  cell(row: Row): ComponentChildren;
  /** What to sort by; columns without it cannot be sorted. */
  sort?(row: Row): number | string | undefined;
  numeric?: boolean;
  /** Left out on narrow screens. */
  wide?: boolean;
}

interface Props<Row> {
  label: string;
  columns: TableColumn<Row>[];
  rows: readonly Row[];
  rowKey(row: Row): string;
  /** Gives the first column the same share in every such table. */
  even?: boolean;
  /** Makes rows blocks on narrow screens. */
  stack?: boolean;
}

export function DataTable<Row>({ label, columns, rows, rowKey, even = false, stack = false }: Props<Row>) {
  const [order, setOrder] = useState<{ id: string; down: boolean } | undefined>();
  const sorted = sortRows(rows, columns, order);
  const press = (id: string, numeric: boolean): void =>
    setOrder(order?.id === id ? { id, down: !order.down } : { id, down: numeric });
  return (
    <div class="table-box" role="region" aria-label={label} tabIndex={0}>
      <table class={`table${even ? " even" : ""}${stack ? " stack" : ""}`}>
        <caption class="sr-only">{label}</caption>
        <thead>
          <tr>
            {columns.map(({ id, title, sort, numeric = false, wide = false }) => (
              <th
                key={id}
                scope="col"
                class={classes(numeric, wide)}
                {...(sort && { "aria-sort": order?.id !== id ? "none" : order.down ? "descending" : "ascending" })}
              >
                {sort ? (
                  <button type="button" class="sort" onClick={() => press(id, numeric)}>
                    {title}
                    <span class={order?.id === id ? "sort-mark on" : "sort-mark"}>
                      <Icon name={order?.id === id && order.down ? "down" : "up"} />
                    </span>
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map(({ id, cell, numeric = false, wide = false }, index) =>
                index === 0 ? (
                  <th key={id} scope="row" class={classes(numeric, wide)}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={id} class={classes(numeric, wide)}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const classes = (numeric: boolean, wide: boolean): string => `${numeric ? "num" : ""} ${wide ? "wide" : ""}`.trim();

function sortRows<Row>(
  rows: readonly Row[],
  columns: TableColumn<Row>[],
  order: { id: string; down: boolean } | undefined,
): readonly Row[] {
  const by = columns.find((column) => column.id === order?.id)?.sort;
  if (!by || !order) return rows;
  const sign = order.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    // What has no value comes last either way.
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? 1 : -1;
    if (typeof x === "string" || typeof y === "string") return sign * String(x).localeCompare(String(y));
    return sign * (x - y);
  });
}
