// The dataflow: its picture, what is known of the node that is chosen, and the same as a table.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { condense, type DrawnEdge, type DrawnGraph, expand } from "../data/condense";
import { type Flow } from "../data/flow";
import { formatDuration, formatNumber, formatRate } from "../data/units";
import { Details } from "../flow/details";
import { Picture } from "../flow/picture";
import { edgeState } from "../flow/state";
import { useFlow, useGraph } from "../live/hooks";
import { useView } from "../place";
import { Absent, Notice } from "../ui/parts";
import { DataTable, type TableColumn } from "../ui/table";

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
          <button
            type="button"
            aria-pressed={!all}
            onClick={() =>
              setView([
                ["view", ""],
                ["node", ""],
              ])
            }
          >
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

function EdgeTable({ graph, flow }: { graph: DrawnGraph; flow: Flow | undefined }) {
  const state = (edge: DrawnEdge) => edgeState(edge, graph, flow);
  const some = (value: number | undefined, format: (n: number) => string): string =>
    value === undefined ? "" : format(value);
  const columns: TableColumn<DrawnEdge>[] = [
    { id: "from", title: "From", sort: ({ from }) => from, cell: ({ from }) => from },
    { id: "to", title: "To", sort: ({ to }) => to, cell: ({ to }) => to },
    {
      id: "rate",
      title: "Rate",
      numeric: true,
      sort: (e) => state(e).rate,
      cell: (e) => some(state(e).rate, formatRate),
    },
    {
      id: "messages",
      title: "Messages",
      numeric: true,
      wide: true,
      sort: (e) => state(e).messages,
      cell: (e) => some(state(e).messages, formatNumber),
    },
    {
      id: "waiting",
      title: "Waiting",
      numeric: true,
      wide: true,
      sort: (e) => state(e).waiting,
      cell: (e) => some(state(e).waiting, formatNumber),
    },
    {
      id: "lag",
      title: "Lag",
      numeric: true,
      sort: (e) => state(e).lagMs,
      cell: (e) => some(state(e).lagMs, (ms) => formatDuration(ms / 1000)),
    },
    {
      id: "held",
      title: "State",
      wide: true,
      cell: (e) => (state(e).held ? <span class="tag warn">held back</span> : ""),
    },
  ];
  return (
    <details class="more panel">
      <summary>The dataflow as a table</summary>
      <DataTable
        label="Edges of the dataflow"
        columns={columns}
        rows={graph.edges}
        rowKey={({ from, to }) => `${from}\n${to}`}
      />
    </details>
  );
}
