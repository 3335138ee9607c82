// heka_report.json: every plugin with its readings.

import { asArray, asObject, asString } from "./json";

export const SECTIONS = ["globals", "inputs", "splitters", "decoders", "filters", "outputs", "encoders"] as const;
export type Section = (typeof SECTIONS)[number];

export interface Reading {
  value: unknown;
  representation: string;
}

export interface Entry {
  name: string;
  readings: Map<string, Reading>;
}

export type Report = Record<Section, Entry[]>;

/** Reads a report; entries of a strange form are left out. Throws when the text is no JSON object. */
export function parseReport(text: string): Report {
  const object = asObject(JSON.parse(text));
  if (!object) throw new Error("The report is not a JSON object.");
  const entries = (section: Section): Entry[] =>
    asArray(object[section])
      .flatMap(readEntry)
      .sort((a, b) => a.name.localeCompare(b.name));
  return Object.fromEntries(SECTIONS.map((section) => [section, entries(section)])) as Report;
}

function readEntry(value: unknown): Entry[] {
  const object = asObject(value);
  const name = object && asString(object["Name"]);
  if (!object || name === undefined) return [];
  const readings = new Map<string, Reading>();
  for (const [key, member] of Object.entries(object)) {
    if (key === "Name") continue;
    const field = asObject(member);
    if (field && "value" in field) {
      readings.set(key, { value: field["value"], representation: asString(field["representation"]) ?? "" });
    } else {
      readings.set(key, { value: member, representation: "" });
    }
  }
  return [{ name, readings }];
}

/** A reading that is a number. */
export function numberOf(entry: Entry | undefined, key: string): number | undefined {
  const value = entry?.readings.get(key)?.value;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export interface Fill {
  length: number;
  /** Absent when it has no fixed size. */
  capacity?: number;
}

/** How full a channel is. */
export function fillOf(entry: Entry | undefined, channel: string): Fill | undefined {
  const length = numberOf(entry, `${channel}Length`);
  const capacity = numberOf(entry, `${channel}Capacity`);
  if (length === undefined) return undefined;
  return capacity === undefined ? { length } : { length, capacity };
}

/** Everything that failed: the sum of what is counted as failures. */
export function failuresOf(entry: Entry): number | undefined {
  return sum(entry, (key) => /Failures$|^DecodeErrors$/.test(key));
}

/** Everything that was dropped by a named rule. */
export function dropsOf(entry: Entry): number | undefined {
  return sum(entry, (key) => key.startsWith("Dropped-") || key === "DropMessageCount");
}

function sum(entry: Entry, wanted: (key: string) => boolean): number | undefined {
  let total: number | undefined;
  for (const [key, { value, representation }] of entry.readings) {
    if (typeof value === "number" && representation !== "B" && wanted(key)) total = (total ?? 0) + value;
  }
  return total;
}

/** The text of a failure, if the plugin's report is one. */
export function errorOf(entry: Entry): string | undefined {
  return asString(entry.readings.get("Error")?.value);
}

/** The entry of a plugin, by its exact name. */
export function findEntry(report: Report, section: Section, name: string): Entry | undefined {
  return report[section].find((entry) => entry.name === name);
}
