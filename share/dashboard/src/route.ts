// Routes are URL fragments. Those of the first dashboard go on working, with names encoded or plain.

import { type Section, SECTIONS } from "./data/report";

export type Route =
  | { page: "health" }
  | { page: "dataflow" }
  | { page: "plugin"; section: Section; name: Name }
  | { page: "sandboxes" }
  | { page: "filter"; filter: Name }
  | { page: "output"; filter: Name; file: Name }
  | { page: "terminations" }
  | { page: "unknown"; fragment: string };

/** A name from a link: as decoded, and as it stood there, for links that were written without encoding. */
export interface Name {
  decoded: string;
  plain: string;
}

/** How a page is shown, beside what is on it; part of the link. */
export type View = ReadonlyMap<string, string>;

export interface Place {
  route: Route;
  view: View;
  embed: boolean;
}

const VIEW_KEYS = ["embed", "from", "to", "range", "log", "hide", "show", "view", "q", "node"];
const VIEW_PART = new RegExp(`\\?((?:${VIEW_KEYS.join("|")})(?:[=&].*)?)$`);

/** Reads a location. `search` is the query before the fragment, where only `embed` is known. */
export function parsePlace(hash: string, search = ""): Place {
  let fragment = hash.replace(/^#\/?/, "");
  const view = new Map<string, string>();
  const query = VIEW_PART.exec(fragment);
  if (query) {
    fragment = fragment.slice(0, query.index);
    for (const [key, value] of new URLSearchParams(query[1])) if (VIEW_KEYS.includes(key)) view.set(key, value);
  }
  let embed = view.delete("embed") || new URLSearchParams(search).has("embed");
  if (/^sandboxes\/.+\/embed$/.test(fragment) && fragment.includes("/outputs/")) {
    embed = true;
    fragment = fragment.slice(0, -"/embed".length);
  }
  return { route: parseRoute(fragment), view, embed };
}

function parseRoute(fragment: string): Route {
  switch (fragment) {
    case "":
    case "main": // the link over the bar, opened in a window of its own
    case "health":
      return { page: "health" };
    case "dataflow":
      return { page: "dataflow" };
    case "sandboxes":
      return { page: "sandboxes" };
    case "termination_report":
      return { page: "terminations" };
  }
  const [head, ...rest] = fragment.split("/");
  const tail = rest.join("/");
  if (head === "plugins" && rest.length >= 2 && rest[1] !== "") {
    const section = SECTIONS.find((name) => name === rest[0]);
    if (section) return { page: "plugin", section, name: name(rest.slice(1).join("/")) };
  }
  if (head === "sandboxes" && tail !== "") {
    // A plain name may hold slashes, so the last `/outputs/` divides.
    const at = tail.lastIndexOf("/outputs/");
    if (at < 0) return { page: "filter", filter: name(tail) };
    if (at > 0) return { page: "output", filter: name(tail.slice(0, at)), file: name(tail.slice(at + 9)) };
  }
  return { page: "unknown", fragment };
}

function name(plain: string): Name {
  try {
    return { decoded: decodeURIComponent(plain), plain };
  } catch {
    return { decoded: plain, plain }; // a bare percent sign
  }
}

/** The entry that a link's name stands for. */
export function pick<T>(things: readonly T[], key: (thing: T) => string, wanted: Name): T | undefined {
  return things.find((thing) => key(thing) === wanted.decoded) ?? things.find((thing) => key(thing) === wanted.plain);
}

const encode = encodeURIComponent;

/** Links to the pages. */
export const link = {
  health: "#health",
  dataflow: "#dataflow",
  sandboxes: "#sandboxes",
  terminations: "#termination_report",
  node: (id: string): string => `#dataflow?node=${encode(id)}`,
  plugin: (section: Section, name: string): string => `#plugins/${section}/${encode(name)}`,
  filter: (filter: string): string => `#sandboxes/${encode(filter)}`,
  output: (filter: string, file: string): string => `#sandboxes/${encode(filter)}/outputs/${encode(file)}`,
  embed: (filter: string, file: string, view?: View): string => withView(`${link.output(filter, file)}/embed`, view),
};

/** The view with some parts changed; empty ones go. */
export function mergeView(view: View, parts: readonly [string, string][]): Map<string, string> {
  const next = new Map([...view, ...parts]);
  for (const [key, value] of parts) if (value === "") next.delete(key);
  return next;
}

/** A link with the way the page is shown. */
export function withView(hash: string, view: View | undefined): string {
  const query = new URLSearchParams([...(view ?? [])].filter(([, value]) => value !== "")).toString();
  return query === "" ? hash : `${hash}?${query}`;
}

/** What identifies a page, whatever way it is shown. */
export function routeKey(route: Route): string {
  return JSON.stringify(route);
}
