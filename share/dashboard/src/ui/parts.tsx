// Small parts of many pages: bars, sparklines, notices, empty states.

import { type ComponentChildren } from "preact";
import { type Sample } from "../data/rates";
import { type Fill } from "../data/report";
import { formatNumber } from "../data/units";
import { Icon } from "./icon";

/** How full something is: a bar, or only the number where there is no limit. */
export function FillBar({ fill, format = formatNumber }: { fill: Fill | undefined; format?: (n: number) => string }) {
  if (!fill) return null;
  const { length, capacity } = fill;
  if (capacity === undefined || capacity <= 0) return <span class="num">{format(length)}</span>;
  const share = Math.max(0, Math.min(1, length / capacity));
  const level = share >= 0.9 ? "bad" : share >= 0.6 ? "warn" : "ok";
  const exact = `${format(length)}/${format(capacity)}`;
  return (
    <span class="fill" title={exact}>
      <span class={`fill-track ${level}`} aria-hidden="true">
        <span style={{ width: `${(share * 100).toFixed(1)}%` }} />
      </span>
      <span class="num fill-text" aria-hidden="true">
        {`${Math.round(share * 100)}%`}
      </span>
      <span class="sr-only">{exact}</span>
    </span>
  );
}

/** Recent values as a line without axes. */
export function Spark({
  samples,
  width = 72,
  height = 18,
}: {
  samples: readonly Sample[];
  width?: number;
  height?: number;
}) {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.time <= first.time)
    return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  const top = Math.max(...samples.map((sample) => sample.rate)) || 1;
  const x = (time: number): number => ((time - first.time) / (last.time - first.time)) * (width - 2) + 1;
  const y = (rate: number): number => height - 1.5 - (rate / top) * (height - 3);
  const line = samples.map(({ time, rate }) => `${x(time).toFixed(1)},${y(rate).toFixed(1)}`).join(" ");
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polygon points={`1,${height} ${line} ${width - 1},${height}`} />
      <polyline points={line} />
    </svg>
  );
}

/** Says that something is wrong and what to do. */
export function Notice({ level, children }: { level: "info" | "warn" | "bad"; children: ComponentChildren }) {
  return (
    <div class={`notice ${level}`} role={level === "bad" ? "alert" : "status"}>
      <Icon name="warning" />
      <div>{children}</div>
    </div>
  );
}

/** Nothing to show: why, and an example of a configuration that changes it. */
export function Empty({ title, children, example }: { title: string; children?: ComponentChildren; example?: string }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
      {example !== undefined && (
        <pre class="example" tabIndex={0} aria-label="Example of a configuration">
          {example}
        </pre>
      )}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="empty" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what}…
    </div>
  );
}

/** What stands in place of a document that is not there. */
export function Absent(props: {
  state: string;
  problem: string | undefined;
  what: string;
  children?: ComponentChildren;
}) {
  const { state, problem, what, children } = props;
  if (state === "loading") return <Loading what={what} />;
  if (state === "missing") {
    return (
      <Empty title={`Waiting for ${what}`}>
        <p>{children ?? "hekad has not written it yet. It appears here as soon as it exists."}</p>
      </Empty>
    );
  }
  return (
    <Empty title={`Cannot show ${what}`}>
      <p>{problem ?? "It could not be read."} It is tried again by itself.</p>
    </Empty>
  );
}

export function Panel(props: {
  title?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
  id?: string;
  class?: string;
}) {
  const { title, aside, children, id } = props;
  return (
    <section class={`panel ${props.class ?? ""}`} {...(id !== undefined && { "aria-labelledby": id })}>
      {title !== undefined && (
        <header class="panel-head">
          <h2 {...(id !== undefined && { id })}>{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}
