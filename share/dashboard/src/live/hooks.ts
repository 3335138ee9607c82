// Live data in components.

import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { type Graph, type Flow, parseFlow, parseGraph } from "../data/flow";
import { countersOf, RateHistory } from "../data/rates";
import { type Report, parseReport } from "../data/report";
import { type Sandbox, parseSandboxes } from "../data/sandboxes";
import { type Termination, parseTerminations } from "../data/termination";
import { Hub, type Status } from "./hub";

/** The one connection of this page. */
export const hub = new Hub();

export interface Live<T> {
  /** The newest value that could be read. */
  value: T | undefined;
  state: "loading" | "ok" | "missing" | "error";
  /** Why the value is not the newest, or why there is none. */
  problem: string | undefined;
}

/** Draws the component again. */
export function useRedraw(): () => void {
  return useReducer((n: number, _: void) => n + 1, 0)[1];
}

/** The document at `url`, read by `parse`; an unreadable one leaves the value of before. */
export function useDocument<T>(url: string, parse: (text: string) => T): Live<T> {
  const redraw = useRedraw();
  const resource = hub.resource(url);
  useEffect(() => hub.watch(resource, redraw), [resource]);

  const { snapshot } = resource;
  const text = snapshot.state === "ok" || snapshot.state === "error" ? snapshot.text : undefined;
  const parsed = useMemo((): { value?: T; problem?: string } => {
    if (text === undefined) return {};
    try {
      return { value: parse(text) };
    } catch (error) {
      return { problem: `The last update could not be read. ${error instanceof Error ? error.message : ""}` };
    }
  }, [text, parse]);

  const last = useRef<{ url: string; value: T | undefined }>({ url, value: undefined });
  if (last.current.url !== url || snapshot.state === "missing") last.current = { url, value: undefined };
  if (parsed.value !== undefined) last.current.value = parsed.value;
  const reason = snapshot.state === "error" ? snapshot.reason : parsed.problem;
  return {
    value: last.current.value,
    state: parsed.problem !== undefined ? "error" : snapshot.state,
    problem: reason,
  };
}

export const useReport = (): Live<Report> => useDocument("data/heka_report.json", parseReport);
export const useSandboxes = (): Live<Sandbox[]> => useDocument("data/sandboxes.json", parseSandboxes);
export const useTerminations = (): Live<Termination[]> =>
  useDocument("data/heka_sandbox_termination.tsv", parseTerminations);
export const useGraph = (): Live<Graph> => useDocument("data/graph.json", parseGraph);

/** Rates of everything in the flow, for as long as the page is open. */
export const rates = new RateHistory();

export function useFlow(): Live<Flow> {
  const flow = useDocument("data/flow.json", parseFlow);
  if (flow.value) rates.add(flow.value.time, countersOf(flow.value));
  return flow;
}

export function useStatus(): Status {
  const redraw = useRedraw();
  useEffect(() => hub.onStatus(redraw), []);
  return hub.status;
}

/** Draws the component again every `periodMs`, while the page is visible. */
export function useClock(periodMs: number): void {
  const redraw = useRedraw();
  useEffect(() => {
    const timer = setInterval(() => document.hidden || redraw(), periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
}
