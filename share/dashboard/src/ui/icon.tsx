// Icons: 16 by 16, one stroke, always beside a text or with a hidden one.

const PATHS = {
  input: "M2 8h8M7 5l3 3-3 3M13 3v10",
  splitter: "M2 8h4M6 8l4-4h4M6 8l4 4h4",
  decoder: "M6 4 2 8l4 4M10 4l4 4-4 4",
  filter: "M2 3h12L9.5 8.5V13l-3-1.5v-3z",
  output: "M3 3v10M6 8h8M11 5l3 3-3 3",
  encoder: "M5 3H3v10h2M11 3h2v10h-2M8 6v4",
  global: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M2 8h12M8 2c4 4 4 8 0 12M8 2c-4 4-4 8 0 12",
  graph: "M2 13V3M2 13h12M4 10l3-4 3 2 4-5",
  text: "M3 4h10M3 8h10M3 12h6",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z",
  system: "M2 3h12v8H2zM6 14h4M8 11v3",
  menu: "M2 4h12M2 8h12M2 12h12",
  close: "M4 4l8 8M12 4l-8 8",
  warning: "M8 2 1.5 13.5h13zM8 6.5v3.5M8 11.8v.2",
  flag: "M4 14V2h8l-2 3 2 3H4",
  external: "M9 3h4v4M13 3 7 9M11 9v4H3V5h4",
  download: "M8 2v8M5 7l3 3 3-3M3 13h10",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  check: "M3 8.5 6.5 12 13 4.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, label }: { name: IconName; label?: string }) {
  const hidden = label === undefined ? { "aria-hidden": true as const } : { role: "img" as const, "aria-label": label };
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" {...hidden}>
      <path d={PATHS[name]} />
    </svg>
  );
}
