// What a node and an edge of the picture show, from the flow and the rates.

import { type DrawnEdge, type DrawnGraph } from "../data/condense";
import { type Flow } from "../data/flow";
import { rates } from "../live/hooks";

/** A node that holds others back for less than this is only working. */
const HOLD_SECONDS = 2;
const LATE_MS = 2000;

export interface NodeState {
  rate: number | undefined;
  fill: { length: number; capacity?: number; unit: string } | undefined;
  heldSeconds: number | undefined;
  error: string | undefined;
}

export function nodeState(id: string, flow: Flow | undefined): NodeState {
  const node = flow?.nodes.get(id);
  const held = flow && node?.holdsSince !== undefined ? flow.time - node.holdsSince : undefined;
  return {
    rate: rates.rate(id),
    fill: node?.queue,
    heldSeconds: held !== undefined && held >= HOLD_SECONDS ? held : undefined,
    error: node?.error,
  };
}

export interface EdgeState {
  rate: number | undefined;
  messages: number | undefined;
  waiting: number | undefined;
  lagMs: number | undefined;
  /** Whether messages wait here for a node that holds them back. */
  held: boolean;
}

export function edgeState(edge: DrawnEdge, graph: DrawnGraph, flow: Flow | undefined): EdgeState {
  const counted = flow?.edges.get(edge.counted);
  // What comes into a node with one way in is what the node has seen.
  const only = graph.edges.filter(({ to }) => to === edge.to).length === 1;
  const node = only ? flow?.nodes.get(edge.to) : undefined;
  const lagMs = counted?.lagMs;
  return {
    rate: rates.rate(edge.counted) ?? (only ? rates.rate(edge.to) : undefined),
    messages: counted?.messages ?? node?.messages,
    waiting: counted?.waiting,
    lagMs,
    held: nodeState(edge.to, flow).heldSeconds !== undefined || (lagMs !== undefined && lagMs >= LATE_MS),
  };
}
