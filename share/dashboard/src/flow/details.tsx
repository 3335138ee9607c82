// What is known of the node that is chosen, or how to read the picture while none is.

import { type DrawnEdge, type DrawnGraph } from "../data/condense";
import { type Flow, type GraphNode, type Kind } from "../data/flow";
import { holders } from "../data/plugins";
import { bytesKey } from "../data/rates";
import { type Section } from "../data/report";
import { formatBytes, formatDuration, formatNumber, formatRate } from "../data/units";
import { rates } from "../live/hooks";
import { link } from "../route";
import { FillBar, Notice } from "../ui/parts";
import { KIND_TITLES } from "./picture";
import { edgeState, nodeState } from "./state";

const SECTIONS: Partial<Record<Kind, Section>> = {
  input: "inputs",
  splitter: "splitters",
  decoder: "decoders",
  filter: "filters",
  output: "outputs",
  queue: "outputs",
};

interface Props {
  graph: DrawnGraph;
  flow: Flow | undefined;
  selected: string | undefined;
  onSelect(id: string | undefined): void;
}

export function Details({ graph, flow, selected, onSelect }: Props) {
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
      {list(
        "From",
        graph.edges.filter(({ to }) => to === node.id),
        "from",
      )}
      {list(
        "To",
        graph.edges.filter(({ from }) => from === node.id),
        "to",
      )}
      {section !== undefined && (
        <p>
          <a href={link.plugin(section, node.label)}>All properties</a>
        </p>
      )}
    </>
  );
}
