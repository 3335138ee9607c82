// graph.json and flow.json: the dataflow's shape, and what runs through it.

import { asArray, asNumber, asObject, asString } from "./json";

export type Kind =
  | "input"
  | "splitter"
  | "decoder"
  | "router"
  | "matcher"
  | "filter"
  | "ticks"
  | "output"
  | "queue"
  | "injected"
  | "feedback"
  | "checkpoint";

export interface GraphNode {
  /** As in graph.json; unique. */
  id: string;
  kind: Kind;
  /** Without the kind; the name of the plugin in the report. */
  label: string;
  /** Without what is said by the node before it: the decoder of an input, without the input's name. */
  title: string;
  /** The plugin's type, the matcher, the encoder and so on. */
  details: string[];
  worker: number | null;
}

export interface GraphEdge {
  from: string;
  to: string;
}

export interface Graph {
  workers: number;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

const PREFIXES: [string, Kind][] = [
  ["input ", "input"],
  ["split ", "splitter"],
  ["decode ", "decoder"],
  ["match ", "matcher"],
  ["ticks ", "ticks"],
  ["filter ", "filter"],
  ["output ", "output"],
  ["checkpoint ", "checkpoint"],
];
const SINGLE: Record<string, Kind> = {
  router: "router",
  injected: "injected",
  Feedback: "feedback",
  checkpoint: "checkpoint",
};

/** Reads graph.json. Throws when the text is no JSON object. */
export function parseGraph(text: string): Graph {
  const object = asObject(JSON.parse(text));
  if (!object) throw new Error("The graph is not a JSON object.");
  const nodes = new Map<string, GraphNode>();
  for (const value of asArray(object["nodes"])) {
    const node = asObject(value);
    const id = node && asString(node["name"]);
    if (!node || id === undefined) continue;
    const details = asArray(node["details"]).flatMap((line) => asString(line) ?? []);
    const { kind, label } = kindOf(id);
    nodes.set(id, { id, kind, label, title: label, details, worker: asNumber(node["worker"]) ?? null });
  }
  const inputs = [...nodes.values()]
    .filter(({ kind }) => kind === "input")
    .sort((a, b) => b.label.length - a.label.length);
  for (const node of nodes.values()) {
    if (node.kind !== "splitter" && node.kind !== "decoder") continue;
    const input = inputs.find(({ label }) => node.label.startsWith(`${label}-`));
    if (input) node.title = node.label.slice(input.label.length + 1);
  }
  const edges = asArray(object["edges"]).flatMap((value) => {
    const edge = asObject(value);
    const from = edge && asString(edge["from"]);
    const to = edge && asString(edge["to"]);
    return from !== undefined && to !== undefined && nodes.has(from) && nodes.has(to) ? [{ from, to }] : [];
  });
  return { workers: asNumber(object["workers"]) ?? 1, nodes: [...nodes.values()], edges };
}

function kindOf(id: string): { kind: Kind; label: string } {
  const single = SINGLE[id];
  if (single) return { kind: single, label: id };
  for (const [prefix, kind] of PREFIXES) {
    if (id.startsWith(prefix)) return { kind, label: id.slice(prefix.length) };
  }
  return { kind: "router", label: id };
}

export interface NodeFlow {
  messages?: number;
  bytes?: number;
  failures?: number;
  dropped?: number;
  queue?: { length: number; capacity?: number; unit: string };
  /** Seconds since 1970 since when this node has held everything behind it back. */
  holdsSince?: number;
  error?: string;
}

export interface EdgeFlow {
  messages?: number;
  /** Messages handed over and not yet finished. */
  waiting?: number;
  /** How far the node at the end is behind the one at the start. */
  lagMs?: number;
}

export interface Flow {
  /** Seconds since 1970 of the sample. */
  time: number;
  /** Seconds since 1970 when the process started. */
  started?: number;
  version?: string;
  host?: string;
  nodes: Map<string, NodeFlow>;
  edges: Map<string, EdgeFlow>;
}

/** The key of an edge in `Flow.edges` and in `Rates.edges`. */
export function edgeKey(from: string, to: string): string {
  return `${from}\u0000${to}`;
}

/** Reads flow.json. Throws when the text is no JSON object or has no time. */
export function parseFlow(text: string): Flow {
  const object = asObject(JSON.parse(text));
  const time = object && asNumber(object["time"]);
  if (!object || time === undefined) throw new Error("The flow has no “time”.");
  const nodes = new Map<string, NodeFlow>();
  for (const value of asArray(object["nodes"])) {
    const node = asObject(value);
    const name = node && asString(node["name"]);
    if (node && name !== undefined) nodes.set(name, readNode(node));
  }
  const edges = new Map<string, EdgeFlow>();
  for (const value of asArray(object["edges"])) {
    const edge = asObject(value);
    const from = edge && asString(edge["from"]);
    const to = edge && asString(edge["to"]);
    if (!edge || from === undefined || to === undefined) continue;
    edges.set(edgeKey(from, to), {
      ...number(edge, "messages", "messages"),
      ...number(edge, "waiting", "waiting"),
      ...number(edge, "lag_ms", "lagMs"),
    });
  }
  const version = asString(object["version"]);
  const host = asString(object["hostname"]);
  return {
    time,
    nodes,
    edges,
    ...number(object, "started", "started"),
    ...(version !== undefined && { version }),
    ...(host !== undefined && { host }),
  };
}

function readNode(node: Record<string, unknown>): NodeFlow {
  const queue = asObject(node["queue"]);
  const length = queue && asNumber(queue["length"]);
  const error = asString(node["error"]);
  return {
    ...number(node, "messages", "messages"),
    ...number(node, "bytes", "bytes"),
    ...number(node, "failures", "failures"),
    ...number(node, "dropped", "dropped"),
    ...number(node, "holds_since", "holdsSince"),
    ...(queue &&
      length !== undefined && {
        queue: { length, unit: asString(queue["unit"]) ?? "count", ...number(queue, "capacity", "capacity") },
      }),
    ...(error !== undefined && { error }),
  };
}

/** A property `as`, if `object` has the number `key`. */
function number<K extends string>(object: Record<string, unknown>, key: string, as: K): { [P in K]?: number } {
  const value = asNumber(object[key]);
  return value === undefined ? {} : ({ [as]: value } as { [P in K]: number });
}
