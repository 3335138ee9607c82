// Says whether what is shown is live, and since when it is not.

import { type Flow } from "../data/flow";
import { formatClock, formatDuration } from "../data/units";
import { hub, useClock, useStatus } from "../live/hooks";
import { Icon } from "./icon";

/** How long the daemon's samples may stay the same before it counts as stuck. */
const STUCK_MS = 20_000;
let sample = { time: 0, seenAt: Date.now() };
// Nothing is asked for while the page is hidden, so that time does not count.
document.addEventListener("visibilitychange", () => (sample.seenAt = Date.now()));

/** Milliseconds for which the daemon has sent the same sample. */
function stuckFor(flow: Flow | undefined): number {
  if (!flow) return 0;
  if (flow.time !== sample.time) sample = { time: flow.time, seenAt: Date.now() };
  return Date.now() - sample.seenAt;
}

/** The badge in the bar. */
export function LiveBadge({ flow }: { flow: Flow | undefined }) {
  useClock(1000);
  const { mode } = useStatus();
  const stuck = mode !== "offline" && mode !== "paused" && stuckFor(flow) > STUCK_MS;
  const [level, text, title] = stuck
    ? ["warn", "Stale", "hekad answers, but its numbers no longer change."]
    : mode === "push"
      ? ["ok", "Live", "Changes are pushed as they happen."]
      : mode === "poll"
        ? ["warn", "Polling", "No push; the data is asked for every few seconds."]
        : mode === "offline"
          ? ["bad", "Offline", "hekad cannot be reached."]
          : ["", mode === "paused" ? "Paused" : "Connecting", "Waiting for the connection."];
  return (
    <span class={`live ${level}`} title={title} role="status">
      <span class="live-dot" aria-hidden="true" />
      {text}
    </span>
  );
}

/** The banner over every page when the data is not current. */
export function StaleBanner({ flow }: { flow: Flow | undefined }) {
  useClock(1000);
  const { mode, heardAt, retryAt } = useStatus();
  if (mode === "offline") {
    const age = heardAt === undefined ? undefined : (Date.now() - heardAt) / 1000;
    const wait = retryAt === undefined ? 0 : Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    return (
      <div class="banner bad">
        <Icon name="warning" />
        <span role="alert">
          hekad cannot be reached.
          {age === undefined ? " Check that it runs and that its address is right." : " The data below is stale."}
        </span>
        {heardAt !== undefined && age !== undefined && (
          <span class="muted">
            Last heard at {formatClock(heardAt / 1000)}, {formatDuration(age)} ago.
          </span>
        )}
        <button type="button" class="button small" onClick={() => hub.retryNow()}>
          {wait > 0 ? `Try now (${wait} s)` : "Try now"}
        </button>
      </div>
    );
  }
  const stuck = stuckFor(flow);
  if (flow && stuck > STUCK_MS && mode !== "paused" && mode !== "connecting") {
    return (
      <div class="banner warn">
        <Icon name="warning" />
        <span role="alert">The data below is stale.</span>
        <span class="muted">
          hekad answers, but has sent the same numbers for {formatDuration(stuck / 1000)}. Its log says whether it is
          stalled.
        </span>
      </div>
    );
  }
  return null;
}
