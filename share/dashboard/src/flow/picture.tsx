// The dataflow drawn: nodes that can be walked with the arrow keys, edges that show what runs and what waits.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { type DrawnGraph } from "../data/condense";
import { type Flow, type GraphNode, type Kind } from "../data/flow";
import { formatDuration, formatNumber, formatRate, formatShort } from "../data/units";
import { edgeState, nodeState } from "./state";
import { type Box, layOut, type Size } from "./layout";

const SIZES: Partial<Record<Kind, Size>> = {
  router: { width: 116, height: 52 },
  injected: { width: 104, height: 40 },
  feedback: { width: 104, height: 40 },
  checkpoint: { width: 124, height: 40 },
  ticks: { width: 150, height: 36 },
};
const SIZE: Size = { width: 188, height: 56 };

export const KIND_TITLES: Record<Kind, string> = {
  input: "Input",
  splitter: "Splitter",
  decoder: "Decoder",
  router: "Router",
  matcher: "Matcher",
  filter: "Filter",
  ticks: "Ticker",
  output: "Output",
  queue: "Disk queue",
  injected: "Injected messages",
  feedback: "Way back",
  checkpoint: "Checkpoint",
};

interface Props {
  graph: DrawnGraph;
  flow: Flow | undefined;
  selected: string | undefined;
  zoom: number;
  onSelect(id: string | undefined): void;
}

export function Picture({ graph, flow, selected, zoom, onSelect }: Props) {
  const layout = useMemo(() => {
    const index = new Map(graph.nodes.map((node, i) => [node.id, i]));
    const arcs = graph.edges.map(({ from, to }) => ({ from: index.get(from) ?? 0, to: index.get(to) ?? 0 }));
    return layOut(
      graph.nodes.map(({ kind }) => SIZES[kind] ?? SIZE),
      arcs,
    );
  }, [graph]);
  const root = useRef<SVGSVGElement>(null);
  const entry = selected !== undefined && graph.nodes.some(({ id }) => id === selected) ? selected : graph.nodes[0]?.id;

  const focus = (id: string | undefined): void => {
    if (id === undefined) return;
    const index = graph.nodes.findIndex((node) => node.id === id);
    root.current?.querySelector<SVGRectElement>(`[data-node="${index}"]`)?.focus();
  };
  const keys = (event: KeyboardEvent, id: string): void => {
    const next = neighbour(event.key, id, graph, layout.boxes);
    if (next !== undefined) {
      event.preventDefault();
      focus(next);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onSelect(selected === id ? undefined : id);
    } else if (event.key === "Escape") {
      onSelect(undefined);
    }
  };
  // A link to a node shows it, wherever it is.
  useEffect(() => {
    const index = graph.nodes.findIndex((node) => node.id === selected);
    root.current?.querySelector(`[data-node="${index}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, []);

  return (
    <svg
      ref={root}
      class={selected === undefined ? "flow" : "flow has-selection"}
      width={layout.width * zoom}
      height={layout.height * zoom}
      viewBox={`0 0 ${layout.width} ${layout.height}`}
      role="group"
      aria-label="Dataflow. Arrow keys go from node to node, Enter shows what is known of one."
    >
      <defs>
        {["idle", "busy", "held"].map((state) => (
          <marker
            key={state}
            id={`arrow-${state}`}
            class={`arrow ${state}`}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 0.5 7.5 4 0 7.5z" />
          </marker>
        ))}
      </defs>
      <g class="edges" aria-hidden="true">
        {graph.edges.map((edge, index) => {
          const line = layout.lines[index];
          if (!line) return null;
          const { rate, lagMs, waiting, held } = edgeState(edge, graph, flow);
          const state = held ? "held" : rate !== undefined && rate > 0 ? "busy" : "idle";
          const near = edge.from === selected || edge.to === selected;
          const notes = [
            rate !== undefined && (rate > 0 || near) && formatRate(rate),
            lagMs !== undefined && lagMs >= 1000 && `${formatDuration(lagMs / 1000)} late`,
            waiting !== undefined && waiting > 0 && `${formatShort(waiting)} wait`,
          ].filter((note) => note !== false);
          return (
            <g key={`${edge.from} ${edge.to}`} class={`edge ${state}${near ? " near" : ""}${line.back ? " back" : ""}`}>
              <path d={line.path} stroke-width={widthOf(rate)} marker-end={`url(#arrow-${state})`} />
              {notes.map((note, row) => (
                <text
                  key={row}
                  x={line.label.x}
                  y={line.label.y + (row === 0 ? -5 : 2 + row * 11)}
                  text-anchor={line.label.anchor}
                >
                  {note}
                </text>
              ))}
            </g>
          );
        })}
      </g>
      {graph.nodes.map((node, index) => {
        const box = layout.boxes[index];
        return (
          box && (
            <NodeCard
              key={node.id}
              {...{ node, index, box, flow }}
              selected={node.id === selected}
              reachable={node.id === entry}
              onKey={(event) => keys(event, node.id)}
              onPress={() => onSelect(selected === node.id ? undefined : node.id)}
            />
          )
        );
      })}
    </svg>
  );
}

interface CardProps {
  node: GraphNode;
  index: number;
  box: Box;
  flow: Flow | undefined;
  selected: boolean;
  /** Whether the tab key stops here. */
  reachable: boolean;
  onKey(event: KeyboardEvent): void;
  onPress(): void;
}

function NodeCard({ node, index, box, flow, selected, reachable, onKey, onPress }: CardProps) {
  const { rate, fill, heldSeconds, error } = nodeState(node.id, flow);
  const high = box.height >= 50;
  const state = error !== undefined ? "failed" : heldSeconds !== undefined ? "holding" : "";
  const small =
    error !== undefined
      ? "failed"
      : heldSeconds !== undefined
        ? `holds ${formatDuration(heldSeconds)}`
        : node.details[0];
  const label = [
    `${KIND_TITLES[node.kind]} ${node.label}`,
    node.details[0],
    rate !== undefined && formatRate(rate),
    fill &&
      `queue ${formatNumber(fill.length)}${fill.capacity === undefined ? "" : ` of ${formatNumber(fill.capacity)}`}`,
    heldSeconds !== undefined && `holds others back for ${formatDuration(heldSeconds)}`,
    error !== undefined && `failed: ${error}`,
  ].filter((part) => part !== undefined && part !== false);
  const share =
    fill?.capacity === undefined || fill.capacity <= 0 ? undefined : Math.min(1, fill.length / fill.capacity);
  const inner = box.width - 24;
  return (
    <g
      class={`node kind-${node.kind} ${state}${selected ? " selected" : ""}`}
      transform={`translate(${box.x} ${box.y})`}
    >
      <title>{node.id}</title>
      <g aria-hidden="true">
        <rect class="node-card" width={box.width} height={box.height} rx="7" />
        <rect class="node-kind" x="0" y="8" width="3.5" height={box.height - 16} rx="1.75" />
        <text class="node-name" x="14" y={high ? 22 : box.height / 2 + 4}>
          {fit(node.title, inner, 7.8)}
        </text>
        {high && (
          <text class="node-type" x="14" y="40">
            {fit(
              small ?? (node.kind === "router" ? "" : KIND_TITLES[node.kind]),
              inner - (rate === undefined ? 0 : 58),
              6.2,
            )}
          </text>
        )}
        {high && rate !== undefined && (
          <text class="node-rate" x={box.width - 12} y="40" text-anchor="end">
            {formatRate(rate)}
          </text>
        )}
        {share !== undefined && (
          <>
            <rect class="node-track" x="14" y={box.height - 7} width={inner + 0} height="3" rx="1.5" />
            <rect
              class={share >= 0.9 ? "node-fill bad" : share >= 0.6 ? "node-fill warn" : "node-fill"}
              x="14"
              y={box.height - 7}
              width={inner * share}
              height="3"
              rx="1.5"
            />
          </>
        )}
      </g>
      <rect
        class="node-button"
        width={box.width}
        height={box.height}
        rx="7"
        data-node={index}
        role="button"
        tabindex={reachable ? 0 : -1}
        aria-pressed={selected}
        aria-label={label.join(", ")}
        onKeyDown={onKey}
        onClick={onPress}
      />
    </g>
  );
}

/** As much of a text as fits, by the mean width of a letter. */
function fit(text: string, width: number, letter: number): string {
  const count = Math.max(3, Math.floor(width / letter));
  const letters = [...text];
  return letters.length <= count
    ? text
    : `${letters
        .slice(0, count - 1)
        .join("")
        .trimEnd()}…`;
}

function widthOf(rate: number | undefined): number {
  return rate === undefined || rate <= 0 ? 1.2 : Math.min(4.5, 1.5 + Math.log10(1 + rate) * 0.6);
}

/** Where an arrow key leads: along the edges, or up and down the column. */
function neighbour(key: string, id: string, graph: DrawnGraph, boxes: readonly Box[]): string | undefined {
  const index = graph.nodes.findIndex((node) => node.id === id);
  const here = boxes[index];
  if (!here) return undefined;
  const at = graph.nodes.map((node, i) => ({ id: node.id, box: boxes[i] }));
  const nearest = (wanted: (box: Box, id: string) => boolean): string | undefined => {
    let best: { id: string; far: number } | undefined;
    for (const { id: other, box } of at) {
      if (!box || other === id || !wanted(box, other)) continue;
      const far = Math.abs(box.y + box.height / 2 - (here.y + here.height / 2)) + Math.abs(box.x - here.x) / 100;
      if (!best || far < best.far) best = { id: other, far };
    }
    return best?.id;
  };
  switch (key) {
    case "ArrowRight":
      return nearest(
        (box, other) => box.column > here.column && graph.edges.some((e) => e.from === id && e.to === other),
      );
    case "ArrowLeft":
      return nearest(
        (box, other) => box.column < here.column && graph.edges.some((e) => e.to === id && e.from === other),
      );
    case "ArrowDown":
      return nearest((box) => box.column === here.column && box.y > here.y);
    case "ArrowUp":
      return nearest((box) => box.column === here.column && box.y < here.y);
    case "Home":
      return graph.nodes[0]?.id;
    case "End":
      return graph.nodes.at(-1)?.id;
    default:
      return undefined;
  }
}
