// Rates from counters that only grow: what came between two samples, by the seconds between them.

import { type Flow } from "./flow";

export interface Sample {
  /** Seconds since 1970. */
  time: number;
  /** Per second. */
  rate: number;
}

/** How many samples a history keeps. */
export const HISTORY = 120;

/** The rates of many counters over time. */
export class RateHistory {
  private last = new Map<string, number>();
  private lastTime: number | undefined;
  private histories = new Map<string, Sample[]>();

  /** Takes the counters' values at `time`. The same time again changes nothing. */
  add(time: number, counters: Iterable<[string, number]>): void {
    if (this.lastTime !== undefined && time === this.lastTime) return;
    // A clock that was set back starts afresh.
    const elapsed = this.lastTime === undefined || time < this.lastTime ? undefined : time - this.lastTime;
    const now = new Map(counters);
    for (const key of this.histories.keys()) if (!now.has(key)) this.histories.delete(key);
    for (const [key, value] of now) {
      const before = this.last.get(key);
      if (elapsed === undefined || before === undefined) continue;
      // A counter that fell belongs to a plugin that was started again, at zero.
      const rate = (value >= before ? value - before : value) / elapsed;
      const history = this.histories.get(key) ?? [];
      history.push({ time, rate });
      if (history.length > HISTORY) history.shift();
      this.histories.set(key, history);
    }
    this.last = now;
    this.lastTime = time;
  }

  /** The latest rate, or nothing before the second sample. */
  rate(key: string): number | undefined {
    return this.histories.get(key)?.at(-1)?.rate;
  }

  /** The recent rates, oldest first. */
  history(key: string): readonly Sample[] {
    return this.histories.get(key) ?? [];
  }
}

/** The counters of a flow: nodes by their name, edges by their key, bytes with a suffix. */
export function* countersOf(flow: Flow): Iterable<[string, number]> {
  for (const [name, node] of flow.nodes) {
    if (node.messages !== undefined) yield [name, node.messages];
    if (node.bytes !== undefined) yield [bytesKey(name), node.bytes];
  }
  for (const [key, edge] of flow.edges) if (edge.messages !== undefined) yield [key, edge.messages];
}

/** The key of a node's bytes. */
export function bytesKey(node: string): string {
  return `${node}\u0001bytes`;
}
