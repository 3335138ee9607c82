// The plugins' sections: their titles, icons, and which node of the dataflow each plugin is.

import { type IconName } from "../ui/icon";
import { type Flow, type NodeFlow } from "./flow";
import { type Section } from "./report";

export const TITLES: Record<Section, string> = {
  globals: "Globals",
  inputs: "Inputs",
  splitters: "Splitters",
  decoders: "Decoders",
  filters: "Filters",
  outputs: "Outputs",
  encoders: "Encoders",
};

export const ICONS: Record<Section, IconName> = {
  globals: "global",
  inputs: "input",
  splitters: "splitter",
  decoders: "decoder",
  filters: "filter",
  outputs: "output",
  encoders: "encoder",
};

const PREFIXES: Partial<Record<Section, string>> = {
  inputs: "input",
  splitters: "split",
  decoders: "decode",
  filters: "filter",
  outputs: "output",
};

/** The name of a plugin's node in the dataflow; encoders have none of their own. */
export function nodeOf(section: Section, name: string): string | undefined {
  if (section === "globals") return name === "Router" ? "router" : undefined;
  const prefix = PREFIXES[section];
  return prefix === undefined ? undefined : `${prefix} ${name}`;
}

/** The nodes that hold others back, longest first. */
export function holders(flow: Flow | undefined): [string, NodeFlow & { holdsSince: number }][] {
  return [...(flow?.nodes ?? [])]
    .filter((entry): entry is [string, NodeFlow & { holdsSince: number }] => entry[1].holdsSince !== undefined)
    .sort((a, b) => a[1].holdsSince - b[1].holdsSince);
}
