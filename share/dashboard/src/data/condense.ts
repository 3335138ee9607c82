// The dataflow as its user wrote it: plugins and the router, without the operators that serve them.
//
// A matcher becomes part of the edge to its plugin, a splitter part of the edge from its input, a disk queue one node,
// a loop one edge back to the router; tickers and checkpoints go.

import { edgeKey, type Graph, type GraphEdge, type GraphNode } from "./flow";

/** An edge of the picture, and the edge of the dataflow whose numbers it shows. */
export interface DrawnEdge extends GraphEdge {
  /** Key of the edge whose messages are shown. */
  counted: string;
  /** The matcher's expression, where the edge stands for one. */
  expression?: string;
}

export interface DrawnGraph {
  nodes: GraphNode[];
  edges: DrawnEdge[];
}

/** Everything, as it is. */
export function expand(graph: Graph): DrawnGraph {
  return { nodes: graph.nodes, edges: graph.edges.map((edge) => ({ ...edge, counted: edgeKey(edge.from, edge.to) })) };
}

/** Only what the configuration names. */
export function condense(graph: Graph): DrawnGraph {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const after = new Map<string, string[]>();
  for (const { from, to } of graph.edges) after.set(from, [...(after.get(from) ?? []), to]);
  const queues = findQueues(graph, byId);

  const drawn = (id: string): string | undefined => {
    const node = byId.get(id);
    if (!node) return undefined;
    const queue = queues.members.get(id);
    if (queue !== undefined) return queue;
    return HIDDEN.has(node.kind) ? undefined : id;
  };
  const nodes = graph.nodes.flatMap((node) => queues.nodes.get(node.id) ?? (drawn(node.id) === node.id ? node : []));
  const edges = new Map<string, DrawnEdge>();
  for (const edge of graph.edges) {
    const from = drawn(edge.from);
    if (from === undefined) continue;
    for (const end of ends(edge, byId, after)) {
      const to = drawn(end.to);
      if (to === undefined || to === from) continue;
      edges.set(edgeKey(from, to), { ...end, from, to });
    }
  }
  return { nodes, edges: [...edges.values()] };
}

const HIDDEN = new Set(["matcher", "splitter", "ticks", "checkpoint", "injected", "feedback"]);

/** Where an edge leads once the operators in between are left out. */
function ends(edge: GraphEdge, byId: Map<string, GraphNode>, after: Map<string, string[]>): DrawnEdge[] {
  const target = byId.get(edge.to);
  if (target?.kind === "matcher") {
    const expression = target.details.join(" ");
    return (after.get(edge.to) ?? []).map((to) => ({ from: edge.from, to, counted: edgeKey(edge.to, to), expression }));
  }
  if (target?.kind === "splitter") {
    return (after.get(edge.to) ?? []).map((to) => ({ from: edge.from, to, counted: edgeKey(edge.to, to) }));
  }
  if (target?.kind === "injected") {
    return [{ from: edge.from, to: "router", counted: edgeKey(edge.from, edge.to) }];
  }
  return [{ ...edge, counted: edgeKey(edge.from, edge.to) }];
}

interface Queues {
  /** By the writer's id. */
  nodes: Map<string, GraphNode>;
  /** The writer's id, by the ids of the writer, the reader, and what serves the reader. */
  members: Map<string, string>;
}

/** Disk queues: a writer, and a reader with its splitter and decoder, become one node each. */
function findQueues(graph: Graph, byId: Map<string, GraphNode>): Queues {
  const queues: Queues = { nodes: new Map(), members: new Map() };
  for (const writer of graph.nodes) {
    const plugin = /^(.+)\.buffer$/.exec(writer.label)?.[1];
    if (writer.kind !== "output" || plugin === undefined || writer.details[0] !== "disk queue") continue;
    const reader = byId.get(`input ${plugin}.queue`);
    if (!reader) continue;
    queues.nodes.set(writer.id, { ...writer, kind: "queue", label: plugin, title: plugin });
    queues.members.set(writer.id, writer.id).set(reader.id, writer.id);
    for (const other of graph.nodes) {
      const serves = other.kind === "splitter" || other.kind === "decoder";
      if (serves && other.label.startsWith(`${plugin}.queue-`)) queues.members.set(other.id, writer.id);
    }
  }
  return queues;
}
