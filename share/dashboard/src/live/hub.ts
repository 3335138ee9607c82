// Keeps documents up to date: the daemon pushes what changed; while it cannot, they are asked for again and again.
//
// Nothing is asked for while the page is hidden, and embedded pages never push: a browser opens only a few
// connections to one server, and a page may hold many frames.

import { dataUrl } from "../data/sandboxes";
import { Resource } from "./resource";

export type Mode =
  | "connecting"
  /** Changes are pushed. */
  | "push"
  /** No push, but answers. */
  | "poll"
  /** Neither. */
  | "offline"
  /** The page is hidden. */
  | "paused";

export interface Status {
  mode: Mode;
  /** When hekad last answered or pushed, in milliseconds since 1970. */
  heardAt: number | undefined;
  /** When the next attempt is due, while offline. */
  retryAt: number | undefined;
}

/** What an event says about, and the URL of the document it concerns. */
const DOCUMENTS: Record<string, string> = {
  report: "data/heka_report.json",
  sandboxes: "data/sandboxes.json",
  termination: "data/heka_sandbox_termination.tsv",
  graph: "data/graph.json",
  flow: "data/flow.json",
};
const PERIODS_MS: Record<string, number> = {
  "data/heka_sandbox_termination.tsv": 5000,
  "data/graph.json": 10_000,
};
const PERIOD_MS = 2000;
/** Silence after which a connection counts as dead; the daemon sends something every 15 s. */
const SILENCE_MS = 40_000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

export class Hub {
  status: Status = { mode: "connecting", heardAt: undefined, retryAt: undefined };
  private resources = new Map<string, Resource>();
  private listeners = new Set<() => void>();
  private source: EventSource | undefined;
  private retryMs = FIRST_RETRY_MS;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private polls = new Map<string, ReturnType<typeof setTimeout>>();
  private push = true;

  /** Begins. Without `push` documents are only polled. */
  start(push: boolean): void {
    this.push = push;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.resume()));
    addEventListener("online", () => this.retryNow());
    if (document.hidden) this.change({ mode: "paused" });
    else this.resume();
  }

  /** The document at `url`. */
  resource(url: string): Resource {
    const known = this.resources.get(url);
    if (known) return known;
    const resource = new Resource(url, PERIODS_MS[url] ?? PERIOD_MS);
    this.resources.set(url, resource);
    return resource;
  }

  /** Keeps `resource` up to date until the returned function is called; `changed` is called at every change. */
  watch(resource: Resource, changed: () => void): () => void {
    const first = !resource.watched;
    const stop = resource.subscribe(changed);
    if (first && this.status.mode !== "paused") this.poll(resource);
    return () => {
      stop();
      if (resource.watched) return;
      this.stopPoll(resource.url);
      // What is not looked at need not be kept, except for the few documents of every page.
      if (!Object.values(DOCUMENTS).includes(resource.url)) this.resources.delete(resource.url);
    };
  }

  onStatus(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tries at once. */
  retryNow(): void {
    if (this.status.mode === "paused" || this.status.mode === "push") return;
    this.retryMs = FIRST_RETRY_MS;
    this.connect();
    this.pollAll();
  }

  private pause(): void {
    this.close();
    clearTimeout(this.retryTimer);
    for (const url of [...this.polls.keys()]) this.stopPoll(url);
    this.change({ mode: "paused", retryAt: undefined });
  }

  private resume(): void {
    this.retryMs = FIRST_RETRY_MS;
    this.change({ mode: "connecting" });
    this.connect();
    this.pollAll();
  }

  private connect(): void {
    this.close();
    clearTimeout(this.retryTimer);
    if (!this.push) return;
    const source = new EventSource("events");
    this.source = source;
    source.onopen = () => this.opened();
    source.onerror = () => this.lost();
    source.addEventListener("ping", () => this.heard());
    source.addEventListener("output", (event) => this.announce(event, undefined));
    for (const [name, url] of Object.entries(DOCUMENTS)) {
      source.addEventListener(name, (event) => this.announce(event, url));
    }
    this.listen();
  }

  private opened(): void {
    this.retryMs = FIRST_RETRY_MS;
    this.change({ mode: "push", heardAt: Date.now(), retryAt: undefined });
    for (const url of [...this.polls.keys()]) this.stopPoll(url);
    // The daemon now says the version of everything; what it does not mention is asked for here, once.
    for (const resource of this.watched()) this.poll(resource);
    this.listen();
  }

  private lost(): void {
    this.close();
    const retryMs = this.retryMs * (0.75 + Math.random() / 2);
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
    this.retryTimer = setTimeout(() => this.connect(), retryMs);
    this.change({ mode: this.status.mode === "offline" ? "offline" : "poll", retryAt: Date.now() + retryMs });
    this.pollAll();
  }

  private close(): void {
    clearTimeout(this.silenceTimer);
    if (this.source) {
      this.source.onerror = this.source.onopen = null;
      this.source.close();
      this.source = undefined;
    }
  }

  /** Starts waiting for the next sign of life. */
  private listen(): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.lost(), SILENCE_MS);
  }

  private heard(): void {
    this.listen();
    this.change({ heardAt: Date.now() });
  }

  private announce(event: MessageEvent<string>, url: string | undefined): void {
    this.heard();
    const news = readEvent(event.data);
    if (!news) return;
    const target = url ?? (news.file === undefined ? undefined : dataUrl(news.file.replace(/^data\//, "")));
    if (target === undefined) return;
    const resource = this.resources.get(target);
    if (resource?.watched && (news.version === undefined || resource.version !== news.version)) void this.ask(resource);
  }

  private watched(): Resource[] {
    return [...this.resources.values()].filter((resource) => resource.watched);
  }

  private async ask(resource: Resource): Promise<void> {
    const outcome = await resource.refresh();
    if (this.status.mode === "paused") return;
    if (outcome !== "failed") {
      const mode = this.status.mode === "push" ? "push" : "poll";
      this.change({ mode, heardAt: Date.now() });
    } else if (this.status.mode !== "push" && resource.snapshot.state === "error") {
      this.change({ mode: "offline" });
    }
  }

  private pollAll(): void {
    for (const resource of this.watched()) this.poll(resource);
  }

  /** Asks now, and again after its period for as long as nothing is pushed. */
  private poll(resource: Resource): void {
    this.stopPoll(resource.url);
    void this.ask(resource).then(() => {
      const pushed = this.status.mode === "push" && resource.snapshot.state !== "error";
      if (!resource.watched || pushed || this.status.mode === "paused") return;
      this.stopPoll(resource.url);
      this.polls.set(
        resource.url,
        setTimeout(() => this.poll(resource), resource.periodMs),
      );
    });
  }

  private stopPoll(url: string): void {
    clearTimeout(this.polls.get(url));
    this.polls.delete(url);
  }

  private change(status: Partial<Status>): void {
    const before = this.status;
    this.status = { ...before, ...status };
    const { mode, retryAt } = this.status;
    if (mode === before.mode && retryAt === before.retryAt) return;
    for (const listener of [...this.listeners]) listener();
  }
}

/** What an event carries: `{"version":…}`, and for outputs `{"file":…,"version":…}`. */
export function readEvent(data: string): { file?: string; version?: string } | undefined {
  try {
    const value = JSON.parse(data) as { file?: unknown; version?: unknown } | null;
    if (typeof value !== "object" || value === null) return undefined;
    return {
      ...(typeof value.file === "string" && { file: value.file }),
      ...(typeof value.version === "string" && { version: value.version }),
    };
  } catch {
    return undefined;
  }
}
