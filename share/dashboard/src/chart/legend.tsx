// The legend: which series are shown, and what they amount to in the part that is shown.

import { type CircularBuffer, columnLabel } from "../data/cbuf";
import { type ChartOptions } from "../data/options";
import { formatShort } from "../data/units";
import { formatCell } from "./chart";
import { rowsBetween, summarise } from "./summary";
import { Swatch } from "./swatch";

interface Props {
  buffer: CircularBuffer;
  options: ChartOptions;
  hidden: ReadonlySet<number>;
  range: [number, number];
  /** The row under the cursor. */
  row: number | undefined;
  onToggle(series: number): void;
  onHighlight(series: number | undefined): void;
}

/** The legend in lines, for embedded graphs. */
export function LegendRow({ buffer, options, hidden, row, onToggle, onHighlight }: Props) {
  return (
    <div class="legend-row" role="group" aria-label="Legend">
      {buffer.columns.map((column, series) => {
        const values = buffer.values[series] ?? [];
        return (
          <label
            class="legend-label"
            key={series}
            onMouseEnter={() => onHighlight(series)}
            onMouseLeave={() => onHighlight(undefined)}
          >
            <input type="checkbox" checked={!hidden.has(series)} onChange={() => onToggle(series)} />
            <Swatch series={series} chosen={options.colors} />
            {columnLabel(column)}
            <b class="num">{formatCell(values[row ?? values.length - 1])}</b>
          </label>
        );
      })}
    </div>
  );
}

export function Legend({ buffer, options, hidden, range, row, onToggle, onHighlight }: Props) {
  const [first, last] = rowsBetween(buffer.times, range[0], range[1]);
  const short = (value: number | null): string => (value === null ? "–" : formatShort(value));
  return (
    <div class="table-box" role="region" aria-label="Legend" tabIndex={0}>
      <table class="table legend">
        <caption class="sr-only">Series of the graph</caption>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col" class="num">
              {row === undefined ? "Latest" : "At cursor"}
            </th>
            <th scope="col" class="num wide">
              Min
            </th>
            <th scope="col" class="num wide">
              Max
            </th>
            <th scope="col" class="num wide">
              Mean
            </th>
            <th scope="col" class="wide">
              Aggregation
            </th>
          </tr>
        </thead>
        <tbody>
          {buffer.columns.map((column, series) => {
            const values = buffer.values[series] ?? [];
            const { last: latest, min, max, mean, infinite } = summarise(values, first, last);
            return (
              <tr key={series} onMouseEnter={() => onHighlight(series)} onMouseLeave={() => onHighlight(undefined)}>
                <th scope="row">
                  <label class="legend-label">
                    <input
                      type="checkbox"
                      checked={!hidden.has(series)}
                      onChange={() => onToggle(series)}
                      onFocus={() => onHighlight(series)}
                      onBlur={() => onHighlight(undefined)}
                    />
                    <Swatch series={series} chosen={options.colors} />
                    <span>{columnLabel(column)}</span>
                  </label>
                </th>
                <td class="num">{row === undefined ? formatCell(latest) : formatCell(values[row])}</td>
                <td class="num wide">{short(min)}</td>
                <td class="num wide">{infinite > 0 ? `${short(max)} and ${infinite} × ∞` : short(max)}</td>
                <td class="num wide">{short(mean)}</td>
                <td class="wide muted">{column.aggregation}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
