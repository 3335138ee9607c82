// One document of the daemon, kept up to date as long as somebody looks at it.

export type Snapshot =
  | { state: "loading" }
  | { state: "ok"; text: string; version: string; at: number }
  /** The daemon has no such document (yet). */
  | { state: "missing"; at: number }
  /** The last document, if there was one, and why there is no newer. */
  | { state: "error"; reason: string; text?: string; version?: string; at?: number };

export type Outcome = "changed" | "same" | "missing" | "failed";

const TIMEOUT_MS = 10_000;
/** A bigger document would bring the browser down. */
const MAX_BYTES = 64 * 1024 * 1024;

export class Resource {
  snapshot: Snapshot = { state: "loading" };
  private listeners = new Set<() => void>();
  private running: Promise<Outcome> | undefined;
  private again = false;
  private etag: string | null = null;
  private modified: string | null = null;

  constructor(
    readonly url: string,
    /** How often it is asked for when the daemon does not push. */
    readonly periodMs: number,
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  /** Whether anybody looks at it. */
  get watched(): boolean {
    return this.listeners.size > 0;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The version that is held, as the daemon names it. */
  get version(): string | undefined {
    return this.snapshot.state === "loading" || this.snapshot.state === "missing" ? undefined : this.snapshot.version;
  }

  /** Asks for the document; one question at a time, and once more if it was asked again meanwhile. */
  refresh(): Promise<Outcome> {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.load().finally(() => {
      this.running = undefined;
      if (this.again) {
        this.again = false;
        void this.refresh();
      }
    });
    return this.running;
  }

  private async load(): Promise<Outcome> {
    const headers: Record<string, string> = {};
    if (this.etag !== null) headers["If-None-Match"] = this.etag;
    else if (this.modified !== null) headers["If-Modified-Since"] = this.modified;
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      response = await this.fetcher(this.url, { headers, signal, cache: "no-store", credentials: "same-origin" });
      if (response.status === 304) return this.unchanged();
      if (response.status === 404) return this.missing();
      if (!response.ok) return this.fail(reasonOf(response.status));
      const length = Number(response.headers.get("Content-Length"));
      if (length > MAX_BYTES) return this.fail("The document is too large to be shown here.");
      text = await response.text();
    } catch (error) {
      const slow = error instanceof DOMException && error.name === "TimeoutError";
      return this.fail(slow ? "hekad did not answer within 10 seconds." : "hekad cannot be reached.");
    }
    this.etag = response.headers.get("ETag");
    this.modified = response.headers.get("Last-Modified");
    if (this.snapshot.state === "ok" && this.snapshot.text === text) return this.unchanged();
    const version = versionOf(this.etag) ?? this.modified ?? "";
    this.set({ state: "ok", text, version, at: Date.now() });
    return "changed";
  }

  private unchanged(): Outcome {
    const { snapshot } = this;
    if (snapshot.state === "error" && snapshot.text !== undefined) {
      this.set({ state: "ok", text: snapshot.text, version: snapshot.version ?? "", at: Date.now() });
    } else if (snapshot.state === "ok") {
      snapshot.at = Date.now();
    }
    return "same";
  }

  private missing(): Outcome {
    this.etag = this.modified = null;
    if (this.snapshot.state !== "missing") this.set({ state: "missing", at: Date.now() });
    return "missing";
  }

  private fail(reason: string): Outcome {
    const before = this.snapshot;
    const kept = before.state === "ok" || before.state === "error" ? before : undefined;
    if (before.state === "error" && before.reason === reason) return "failed";
    this.set({
      state: "error",
      reason,
      ...(kept?.text !== undefined && { text: kept.text }),
      ...(kept?.version !== undefined && { version: kept.version }),
      ...(kept?.at !== undefined && { at: kept.at }),
    });
    return "failed";
  }

  private set(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    for (const listener of [...this.listeners]) listener();
  }
}

/** An entity tag without its quotes and the mark of a weak one. */
export function versionOf(etag: string | null): string | undefined {
  return etag === null ? undefined : etag.replace(/^W\//, "").replace(/^"|"$/g, "");
}

function reasonOf(status: number): string {
  if (status === 401 || status === 403) return "hekad refuses access. Reload the page to log in.";
  if (status >= 500) return `hekad answered with error ${status}. Its log says why.`;
  return `hekad answered with status ${status}.`;
}
