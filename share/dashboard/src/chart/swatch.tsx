import { dashOf } from "./palette";

/** A piece of a series' line: its colour and its dashes. */
export function Swatch({ series, chosen }: { series: number; chosen: readonly string[] }) {
  const own = chosen[series % Math.max(1, chosen.length)];
  return (
    <svg
      class={`swatch series-${(series % 8) + 1}`}
      viewBox="0 0 18 8"
      width="18"
      height="8"
      aria-hidden="true"
      {...(own !== undefined && { style: { color: own } })}
    >
      <line x1="0" y1="4" x2="18" y2="4" stroke-dasharray={dashOf(series).join(" ")} />
    </svg>
  );
}
