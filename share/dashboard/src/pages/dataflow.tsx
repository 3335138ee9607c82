// The dataflow: its picture, what is known of the node that is chosen, and the same as a table.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { condense, type DrawnEdge, type DrawnGraph, expand } from "../data/condense";
import { type Flow, type GraphNode, type Kind } from "../data/flow";
import { holders } from "../data/plugins";
import { bytesKey } from "../data/rates";
import { type Section } from "../data/report";
import { formatBytes, formatDuration, formatNumber, formatRate } from "../data/units";
import { KIND_TITLES, Picture } from "../flow/picture";
import { edgeState, nodeState } from "../flow/state";
import { rates, useFlow, useGraph } from "../live/hooks";
import { useView } from "../place";
import { link } from "../route";
import { Absent, FillBar, Notice } from "../ui/parts";
import { DataTable, type TableColumn } from "../ui/table";

const SECTIONS: Partial<Record<Kind, Section>> = {
  input: "inputs",
  splitter: "splitters",
  decoder: "decoders",
  filter: "filters",
  output: "outputs",
  queue: "outputs",
};

export function DataflowPage() {
  const { value: whole, state, problem } = useGraph();
  const { value: flow } = useFlow();
  const [view, setView] = useView();
  const selected = view.get("node");
  // A node that the short picture leaves out brings the long one.
  const short = useMemo(() => (whole ? condense(whole) : undefined), [whole]);
  const hidden = selected !== undefined && short !== undefined && !short.nodes.some(({ id }) => id === selected);
  const all = view.get("view") === "all" || (hidden && whole?.nodes.some(({ id }) => id === selected) === true);
  const graph = useMemo(() => (all && whole ? expand(whole) : short), [all, whole, short]);
  if (!graph || !whole) {
    return (
      <>
        <h1>Dataflow</h1>
        <Absent state={state} problem={problem} what="the dataflow">
          This hekad does not tell its dataflow. Print it with <code>hekad --dump-graph=mermaid -config=…</code>
        </Absent>
      </>
    );
  }
  const select = (id: string | undefined): void => setView([["node", id ?? ""]]);
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Dataflow</h1>
          <p class="sub">
            {whole.nodes.length} operators on {whole.workers} {whole.workers === 1 ? "worker" : "workers"}
          </p>
        </div>
        <div class="segments" role="group" aria-label="Detail">
          <button type="button" aria-pressed={!all} onClick={() => setView([["view", ""], ["node", ""]])}>
            Plugins
          </button>
          <button type="button" aria-pressed={all} onClick={() => setView([["view", "all"]])}>
            All operators
          </button>
        </div>
      </div>
      {problem !== undefined && <Notice level="warn">{problem}</Notice>}
      <div class="flow-page">
        <Canvas key={String(all)} {...{ graph, flow, selected }} onSelect={select} />
        <aside class="panel flow-side" aria-live="polite">
          <Details graph={graph} flow={flow} selected={selected} onSelect={select} />
        </aside>
      </div>
      <EdgeTable graph={graph} flow={flow} />
    </>
  );
}

interface CanvasProps {
  graph: DrawnGraph;
  flow: Flow | undefined;
  selected: string | undefined;
  onSelect(id: string | undefined): void;
}

const ZOOMS = [0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5, 2];

/** The picture in a window that scrolls, drags and zooms. */
function Canvas({ graph, flow, selected, onSelect }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(1);
  const fit = (): void => {
    const svg = box.current?.querySelector("svg");
    if (!box.current || !svg) return;
    const { width } = svg.viewBox.baseVal;
    // Smaller than this nobody can read it; then it scrolls.
    setZoom(Math.max(0.7, Math.min(1.1, (box.current.clientWidth - 2) / width)));
  };
  useLayoutEffect(fit, [graph]);
  useEffect(() => {
    const node = box.current;
    if (!node) return;
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      setZoom((before) => Math.max(0.3, Math.min(2.5, before * Math.exp(-event.deltaY / 400))));
    };
    node.addEventListener("wheel", wheel, { passive: false });
    return () => node.removeEventListener("wheel", wheel);
  }, []);
  const step = (by: 1 | -1): void => {
    const next = by > 0 ? ZOOMS.find((z) => z > zoom + 0.01) : ZOOMS.findLast((z) => z < zoom - 0.01);
    if (next !== undefined) setZoom(next);
  };
  const drag = (start: PointerEvent): void => {
    const node = box.current;
    // Fingers scroll by themselves, and a press on a node chooses it.
    if (!node || start.pointerType === "touch" || (start.target as Element).closest(".node")) return;
    const from = { left: node.scrollLeft + start.clientX, top: node.scrollTop + start.clientY };
    const move = (event: PointerEvent): void => node.scrollTo(from.left - event.clientX, from.top - event.clientY);
    node.setPointerCapture(start.pointerId);
    node.addEventListener("pointermove", move);
    node.addEventListener("pointerup", () => node.removeEventListener("pointermove", move), { once: true });
  };
  return (
    <div class="panel flow-panel">
      <div class="flow-scroll" ref={box} onPointerDown={drag}>
        <Picture {...{ graph, flow, selected, zoom, onSelect }} />
      </div>
      <div class="flow-tools" role="group" aria-label="Zoom">
        <button type="button" class="icon-button" aria-label="Smaller" onClick={() => step(-1)}>
          −
        </button>
        <button type="button" class="icon-button wide-button" aria-label="Fit the picture" onClick={fit}>
          Fit
        </button>
        <button type="button" class="icon-button" aria-label="Larger" onClick={() => step(1)}>
          +
        </button>
      </div>
    </div>
  );
}

function Details({ graph, flow, selected, onSelect }: Omit<CanvasProps, "onSelect"> & { onSelect(id: string | undefined): void }) {
  const node = graph.nodes.find(({ id }) => id === selected);
  if (node) return <NodeDetails {...{ node, graph, flow, onSelect }} />;
  const holding = flow ? holders(flow) : [];
  return (
    <>
      <h2>What it shows</h2>
      <ul class="key">
        <li>
          <KeyLine state="busy" /> Messages run; the wider, the more.
        </li>
        <li>
          <KeyLine state="idle" /> Nothing runs now.
        </li>
        <li>
          <KeyLine state="held" /> Messages wait: the node at its end holds them back.
        </li>
      </ul>
      <p class="hint">Choose a node to see its numbers. Arrow keys go along the edges.</p>
      {holding.length > 0 && (
        <>
          <h3>Holding back</h3>
          <ul class="links">
            {holding.slice(0, 8).map(([name, { holdsSince }]) => (
              <li key={name}>
                <button type="button" class="link" onClick={() => onSelect(name)}>
                  {name}
                </button>
                <span class="num">{formatDuration((flow?.time ?? 0) - holdsSince)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function KeyLine({ state }: { state: string }) {
  return (
    <svg class="key-line" width="30" height="10" aria-hidden="true">
      <g class={`edge ${state}`}>
        <path d="M1 5H29" stroke-width={state === "idle" ? 1.2 : 3} />
      </g>
    </svg>
  );
}

interface DetailProps {
  node: GraphNode;
  graph: DrawnGraph;
  flow: Flow | undefined;
  onSelect(id: string | undefined): void;
}

function NodeDetails({ node, graph, flow, onSelect }: DetailProps) {
  const { rate, fill, heldSeconds, error } = nodeState(node.id, flow);
  const numbers = flow?.nodes.get(node.id);
  const bytes = rates.rate(bytesKey(node.id));
  const section = SECTIONS[node.kind];
  const format = fill?.unit === "B" ? formatBytes : formatNumber;
  const facts: [string, string | undefined][] = [
    ["Rate", rate === undefined ? undefined : formatRate(rate)],
    ["Throughput", bytes === undefined ? undefined : `${formatBytes(bytes)}/s`],
    ["Messages", numbers?.messages === undefined ? undefined : formatNumber(numbers.messages)],
    ["Failures", numbers?.failures === undefined ? undefined : formatNumber(numbers.failures)],
    ["Dropped", numbers?.dropped === undefined ? undefined : formatNumber(numbers.dropped)],
    ["Holds back", heldSeconds === undefined ? undefined : formatDuration(heldSeconds)],
    ["Worker", node.worker === null ? "every" : String(node.worker)],
  ];
  const list = (title: string, edges: DrawnEdge[], other: "from" | "to") =>
    edges.length > 0 && (
      <>
        <h3>{title}</h3>
        <ul class="links">
          {edges.map((edge) => {
            const { rate: edgeRate } = edgeState(edge, graph, flow);
            return (
              <li key={edge[other]}>
                <button type="button" class="link" onClick={() => onSelect(edge[other])}>
                  {edge[other]}
                </button>
                <span class="num">{edgeRate === undefined ? "" : formatRate(edgeRate)}</span>
                {edge.expression !== undefined && <code class="expression">{edge.expression}</code>}
              </li>
            );
          })}
        </ul>
      </>
    );
  return (
    <>
      <div class="side-head">
        <div>
          <div class="side-kind">{KIND_TITLES[node.kind]}</div>
          <h2>{node.label}</h2>
        </div>
        <button type="button" class="button small" onClick={() => onSelect(undefined)}>
          Close
        </button>
      </div>
      {error !== undefined && <Notice level="bad">{error}</Notice>}
      {node.details.map((line) => (
        <code class="expression" key={line}>
          {line}
        </code>
      ))}
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="num">{value}</dd>
              </div>
            ),
        )}
        {fill && (
          <div>
            <dt>Queue</dt>
            <dd>
              <FillBar fill={fill} format={format} />
            </dd>
          </div>
        )}
      </dl>
      {list("From", graph.edges.filter(({ to }) => to === node.id), "from")}
      {list("To", graph.edges.filter(({ from }) => from === node.id), "to")}
      {section !== undefined && (
        <p>
          <a href={link.plugin(section, node.label)}>All properties</a>
        </p>
      )}
    </>
  );
}

function EdgeTable({ graph, flow }: { graph: DrawnGraph; flow: Flow | undefined }) {
  const state = (edge: DrawnEdge) => edgeState(edge, graph, flow);
  const some = (value: number | undefined, format: (n: number) => string): string => (value === undefined ? "" : format(value));
  const columns: TableColumn<DrawnEdge>[] = [
    { id: "from", title: "From", sort: ({ from }) => from, cell: ({ from }) => from },
    { id: "to", title: "To", sort: ({ to }) => to, cell: ({ to }) => to },
    { id: "rate", title: "Rate", numeric: true, sort: (e) => state(e).rate, cell: (e) => some(state(e).rate, formatRate) },
    { id: "messages", title: "Messages", numeric: true, wide: true, sort: (e) => state(e).messages, cell: (e) => some(state(e).messages, formatNumber) },
    { id: "waiting", title: "Waiting", numeric: true, wide: true, sort: (e) => state(e).waiting, cell: (e) => some(state(e).waiting, formatNumber) },
    { id: "lag", title: "Lag", numeric: true, sort: (e) => state(e).lagMs, cell: (e) => some(state(e).lagMs, (ms) => formatDuration(ms / 1000)) },
    { id: "held", title: "State", wide: true, cell: (e) => (state(e).held ? <span class="tag warn">held back</span> : "") },
  ];
  return (
    <details class="more panel">
      <summary>The dataflow as a table</summary>
      <DataTable label="Edges of the dataflow" columns={columns} rows={graph.edges} rowKey={({ from, to }) => `${from}\n${to}`} />
    </details>
  );
}
