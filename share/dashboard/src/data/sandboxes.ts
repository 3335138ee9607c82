// sandboxes.json: the filters that have outputs, and the files of these.

import { asArray, asObject, asString } from "./json";

export interface SandboxOutput {
  name: string;
  /** As listed, for example `data/F.Title.cbuf`. */
  path: string;
  /** Without `data/`; this is what routes carry. */
  file: string;
}

export interface Sandbox {
  name: string;
  outputs: SandboxOutput[];
}

/** Reads the list, sorted by the filters' names. Throws when the text is no JSON object. */
export function parseSandboxes(text: string): Sandbox[] {
  const object = asObject(JSON.parse(text));
  if (!object) throw new Error("The list of sandboxes is not a JSON object.");
  return asArray(object["sandboxes"])
    .flatMap(readSandbox)
    .sort((a, b) => a.name.localeCompare(b.name));
}

function readSandbox(value: unknown): Sandbox[] {
  const object = asObject(value);
  const name = object && asString(object["Name"]);
  if (!object || name === undefined) return [];
  return [{ name, outputs: asArray(object["Outputs"]).flatMap(readOutput) }];
}

function readOutput(value: unknown): SandboxOutput[] {
  const object = asObject(value);
  const path = object && asString(object["Filename"]);
  if (!object || path === undefined) return [];
  return [{ name: asString(object["Name"]) ?? "", path, file: path.replace(/^data\//, "") }];
}

/** The extension of an output's file. */
export function extensionOf(file: string): string {
  return /\.([^./]*)$/.exec(file)?.[1] ?? "";
}

/** Whether a file is drawn as a graph. */
export function isGraph(file: string): boolean {
  return extensionOf(file) === "cbuf";
}

/** What the list shows as type. */
export function typeOf(file: string): string {
  return extensionOf(file).toUpperCase();
}

/** The URL of a data file, relative to the page. */
export function dataUrl(file: string): string {
  return `data/${file.split("/").map(encodeURIComponent).join("/")}`;
}
