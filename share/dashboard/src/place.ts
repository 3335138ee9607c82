// The place the reader is at: the address bar, as state.

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { mergeView, parsePlace, type Place } from "./route";

/** Where the page is. */
export const PlaceContext = createContext<Place>({ route: { page: "health" }, view: new Map(), embed: false });

export function useLocation(): Place {
  const [place, setPlace] = useState(() => parsePlace(location.hash, location.search));
  useEffect(() => {
    const moved = (): void => setPlace(parsePlace(location.hash, location.search));
    addEventListener("hashchange", moved);
    addEventListener(VIEW_CHANGED, moved);
    return () => {
      removeEventListener("hashchange", moved);
      removeEventListener(VIEW_CHANGED, moved);
    };
  }, []);
  return place;
}

const VIEW_CHANGED = "viewchange";

/** The way the page is shown, and how to change parts of it; the address follows, so that it can be shared. */
export function useView(): [ReadonlyMap<string, string>, (parts: [string, string][]) => void] {
  const { view } = useContext(PlaceContext);
  return [view, setView];
}

/** Changes parts of the view; empty ones go. The page stays, and the way back in the history stays short. */
function setView(parts: [string, string][]): void {
  const { view, embed } = parsePlace(location.hash);
  const next = mergeView(view, parts);
  const query = location.hash.lastIndexOf("?");
  const hasView = view.size > 0 || (embed && location.hash.slice(query).startsWith("?embed"));
  const path = hasView && query >= 0 ? location.hash.slice(0, query) : location.hash;
  if (embed && !path.endsWith("/embed")) next.set("embed", "1");
  const text = new URLSearchParams([...next]).toString();
  history.replaceState(null, "", text === "" ? path || "#" : `${path || "#"}?${text}`);
  dispatchEvent(new Event(VIEW_CHANGED));
}
