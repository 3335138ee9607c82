// A circular buffer: its graph, legend, annotations, the numbers as a table, and ways to take it elsewhere.

import { useCallback, useMemo, useState } from "preact/hooks";
import { Chart, formatCell } from "../chart/chart";
import { Legend, LegendRow } from "../chart/legend";
import { MAX_FLAGS } from "../chart/plot";
import { offeredSpans, type Range, readRange, resolveRange, shortSpan, writeRange } from "../chart/range";
import { rowsBetween } from "../chart/summary";
import { type Annotation, type CircularBuffer, columnLabel, parseCbuf } from "../data/cbuf";
import { toCsv } from "../data/csv";
import { readOptions } from "../data/options";
import { dataUrl, type SandboxOutput } from "../data/sandboxes";
import { describeAggregation, formatExact } from "../data/units";
import { useDocument } from "../live/hooks";
import { useView } from "../place";
import { link, mergeView } from "../route";
import { Icon } from "../ui/icon";
import { Absent, Notice } from "../ui/parts";

interface Props {
  filter: string;
  output: SandboxOutput;
  embed: boolean;
  /** The heading's level: 1 on a page of its own, 2 among others. */
  level: 1 | 2;
}

const HINT = matchMedia("(pointer: coarse)").matches
  ? "Pinch to zoom, drag to pan, tap to read values."
  : "Click and drag to zoom, shift-drag to pan, double-click to zoom out.";

export function GraphView({ filter, output, embed, level }: Props) {
  const { value: buffer, state, problem } = useDocument(dataUrl(output.file), parseCbuf);
  const [view] = useView();
  const title = output.name === "" ? "Untitled output" : output.name;
  const Title = level === 1 ? "h1" : "h2";
  if (embed) {
    return buffer ? (
      <Graph buffer={buffer} title={title} embed own={false} />
    ) : (
      <Absent state={state} problem={problem} what={title} />
    );
  }
  return (
    <section class="output">
      <header class="page-head">
        <div>
          <Title>{title}</Title>
          <p class="sub">{buffer ? describeAggregation(buffer.secondsPerRow, buffer.rows) : " "}</p>
        </div>
        <div class="actions">
          {buffer && <CsvButton buffer={buffer} file={output.file} />}
          <a class="button" href={link.embed(filter, output.file, view)} target="_blank" rel="noopener">
            Embed
            <Icon name="external" />
          </a>
          <a class="button" href={dataUrl(output.file)} target="_blank" rel="noopener">
            Raw
            <Icon name="external" />
          </a>
        </div>
      </header>
      {buffer && problem !== undefined && <Notice level="warn">{problem} The graph shows what came before.</Notice>}
      {buffer ? (
        <Graph buffer={buffer} title={title} embed={false} own={level === 2} />
      ) : (
        <div class="chart-place">
          <Absent state={state} problem={problem} what={title} />
        </div>
      )}
    </section>
  );
}

interface GraphProps {
  buffer: CircularBuffer;
  title: string;
  embed: boolean;
  /** Whether it shares its page with others, and so keeps its legend and scale for itself instead of in the link. */
  own: boolean;
}

function Graph({ buffer, title, embed, own }: GraphProps) {
  const [shared, setShared] = useView();
  const [mine, setMine] = useState<ReadonlyMap<string, string>>(new Map());
  const view = own ? mine : shared;
  const setView = (parts: [string, string][]): void => (own ? setMine(mergeView(mine, parts)) : setShared(parts));
  const [row, setRow] = useState<number>();
  const [highlighted, setHighlighted] = useState<number>();
  const options = useMemo(() => readOptions(buffer.options), [JSON.stringify(buffer.options)]);
  const hideText = view.get("hide") ?? "";
  const hidden = useMemo(() => readHidden(hideText), [hideText]);
  const log = view.has("log") ? view.get("log") === "1" : options.log;
  const range = readRange(shared);
  const [first, last] = [buffer.times[0] ?? 0, buffer.times.at(-1) ?? 1];
  const shown = resolveRange(range, first, last);
  const setRange = useCallback((next: Range): void => setShared(writeRange(next)), []);
  const toggle = (series: number): void => {
    const next = new Set(hidden);
    if (!next.delete(series)) next.add(series);
    const columns = [...next].map((n) => n + 1).sort((a, b) => a - b);
    setView([["hide", columns.join(",")]]);
  };
  if (buffer.times.length === 0) return <Absent state="missing" problem={undefined} what="the first row" />;
  const Key = embed ? LegendRow : Legend;
  const unseen = log ? buffer.values.flat().filter((value) => value !== null && value <= 0).length : 0;
  return (
    <div class={embed ? "graph" : "graph panel"}>
      {options.title !== undefined && <p class="graph-title">{options.title}</p>}
      {!embed && (
        <div class="toolbar">
          <RangeButtons range={range} whole={last - first} onRange={setRange} />
          <span class="range-text num">
            {range.kind === "fixed" && `${formatExact(shown[0])} – ${formatExact(shown[1])}`}
          </span>
          <label class="check">
            <input
              type="checkbox"
              checked={log}
              onChange={() => setView([["log", log === options.log ? (log ? "0" : "1") : ""]])}
            />
            Log scale
          </label>
        </div>
      )}
      <Chart
        label={`Graph of ${title}`}
        {...{ buffer, options, hidden, log, highlighted }}
        range={shown}
        height={embed ? 250 : 300}
        onRange={(from, to) => setRange({ kind: "fixed", from, to })}
        onReset={() => setRange({ kind: "all" })}
        onCursor={setRow}
      />
      {!embed && <p class="hint">{HINT}</p>}
      {unseen > 0 && (
        <p class="hint">
          {unseen} {unseen === 1 ? "value is" : "values are"} zero or below and cannot be shown on a log scale.
        </p>
      )}
      <Key {...{ buffer, options, hidden, row }} range={shown} onToggle={toggle} onHighlight={setHighlighted} />
      {!embed && <Annotations buffer={buffer} onShow={(from, to) => setRange({ kind: "fixed", from, to })} />}
      {!embed && <Numbers buffer={buffer} range={shown} />}
    </div>
  );
}

function readHidden(text: string): Set<number> {
  return new Set(
    text
      .split(",")
      .map((part) => Number(part) - 1)
      .filter((n) => Number.isInteger(n) && n >= 0),
  );
}

function RangeButtons({ range, whole, onRange }: { range: Range; whole: number; onRange(range: Range): void }) {
  const spans = offeredSpans(whole);
  return (
    <div class="segments" role="group" aria-label="Time range">
      {spans.map((seconds) => (
        <button
          type="button"
          key={seconds}
          aria-pressed={range.kind === "last" && range.seconds === seconds}
          onClick={() => onRange({ kind: "last", seconds })}
        >
          <span class="sr-only">Last </span>
          {shortSpan(seconds)}
        </button>
      ))}
      <button type="button" aria-pressed={range.kind === "all"} onClick={() => onRange({ kind: "all" })}>
        All
      </button>
    </div>
  );
}

function CsvButton({ buffer, file }: { buffer: CircularBuffer; file: string }) {
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([toCsv(buffer)], { type: "text/csv" }));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = `${file.replace(/\.cbuf$/, "").replace(/[^\w.-]+/g, "_")}.csv`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <button type="button" class="button" onClick={save}>
      CSV
      <Icon name="download" />
    </button>
  );
}

function Annotations({ buffer, onShow }: { buffer: CircularBuffer; onShow(from: number, to: number): void }) {
  const { annotations, columns, secondsPerRow } = buffer;
  if (annotations.length === 0) return null;
  const newest = [...annotations].sort((a, b) => b.x - a.x);
  const around = (note: Annotation): void => {
    const half = 30 * secondsPerRow;
    onShow(note.x / 1000 - half, note.x / 1000 + half);
  };
  return (
    <details class="more" open={annotations.length <= 5}>
      <summary>
        Annotations <span class="count">{annotations.length}</span>
      </summary>
      {annotations.length > MAX_FLAGS && <p class="hint">The graph shows the first {MAX_FLAGS} of the part in view.</p>}
      <ul class="notes">
        {newest.slice(0, 200).map((note, index) => (
          <li key={index} class={note.severity}>
            <span class="note-sign">{note.shortText.slice(0, 8)}</span>
            <button type="button" class="link num" onClick={() => around(note)} title="Show in the graph">
              {formatExact(note.x / 1000)}
            </button>
            <span class="muted">{columns[note.col - 1]?.name ?? `Column ${note.col}`}</span>
            <span class="note-text">{note.text}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Rows of the table; more can be had as CSV. */
const TABLE_ROWS = 100;

function Numbers({ buffer, range }: { buffer: CircularBuffer; range: [number, number] }) {
  const [open, setOpen] = useState(false);
  const [first, last] = rowsBetween(buffer.times, range[0], range[1]);
  const rows = Array.from({ length: Math.min(TABLE_ROWS, last - first) }, (_, i) => last - 1 - i);
  return (
    <details class="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Values as a table</summary>
      {open && (
        <>
          <div class="table-box short" role="region" aria-label="Values" tabIndex={0}>
            <table class="table">
              <caption class="sr-only">The newest values of the part in view, newest first</caption>
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  {buffer.columns.map((column, index) => (
                    <th key={index} scope="col" class="num">
                      {columnLabel(column)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={buffer.times[row]}>
                    <th scope="row" class="num start">
                      {formatExact(buffer.times[row] ?? 0)}
                    </th>
                    {buffer.values.map((series, index) => (
                      <td key={index} class="num">
                        {formatCell(series[row])}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {last - first > TABLE_ROWS && <p class="hint">The newest {TABLE_ROWS} rows. The CSV file has all.</p>}
        </>
      )}
    </details>
  );
}
