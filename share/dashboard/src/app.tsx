// The frame of every page: bar, navigation, banner, and the page the address asks for.

import { useEffect, useRef, useState } from "preact/hooks";
import { useFlow } from "./live/hooks";
import { DataflowPage } from "./pages/dataflow";
import { FilterPage } from "./pages/filter";
import { HealthPage } from "./pages/health";
import { OutputPage } from "./pages/output";
import { PluginPage } from "./pages/plugin";
import { SandboxesPage } from "./pages/sandboxes";
import { TerminationsPage } from "./pages/terminations";
import { PlaceContext, useLocation } from "./place";
import { link, type Place, type Route, routeKey } from "./route";
import { Icon } from "./ui/icon";
import { Empty } from "./ui/parts";
import { LiveBadge, StaleBanner } from "./ui/status";
import { ThemeButton } from "./ui/theme-button";

export function App() {
  const place = useLocation();
  return (
    <PlaceContext.Provider value={place}>
      {place.embed ? (
        <main class="embed">
          <Page route={place.route} embed />
        </main>
      ) : (
        <Framed place={place} />
      )}
    </PlaceContext.Provider>
  );
}

function Framed({ place }: { place: Place }) {
  const flow = useFlow();
  const main = useRef<HTMLElement>(null);
  const key = routeKey(place.route);
  const [shown, setShown] = useState(key);
  useEffect(() => {
    if (key === shown) return;
    setShown(key);
    scrollTo(0, 0);
    // Readers of the screen begin at the new page, not at the link that led there.
    main.current?.focus({ preventScroll: true });
  }, [key]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <Bar route={place.route} flow={flow.value} />
      <StaleBanner flow={flow.value} />
      <main id="main" tabIndex={-1} ref={main}>
        <Page key={key} route={place.route} embed={false} />
      </main>
      <footer class="foot">
        <span>hekad {flow.value?.version ?? ""}</span>
        {flow.value?.host !== undefined && <span>{flow.value.host}</span>}
        <a href="data/">Data files</a>
      </footer>
    </>
  );
}

const LINKS: [string, string, Route["page"][]][] = [
  ["Health", link.health, ["health", "plugin"]],
  ["Dataflow", link.dataflow, ["dataflow"]],
  ["Sandboxes", link.sandboxes, ["sandboxes", "filter", "output"]],
  ["Termination Report", link.terminations, ["terminations"]],
];

function Bar({ route, flow }: { route: Route; flow: Parameters<typeof LiveBadge>[0]["flow"] }) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (event.key === "Escape") setOpen(false);
    };
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, []);
  return (
    <header class="bar">
      <a class="brand" href="#" onClick={() => setOpen(false)}>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <rect class="brand-tile" width="32" height="32" rx="7" />
          <path class="brand-line" d="M6 17h5l3-8 4 14 3-6h5" />
        </svg>
        Heka
      </a>
      <nav id="nav" class={open ? "nav open" : "nav"} aria-label="Pages">
        {LINKS.map(([title, href, pages]) => (
          <a
            key={href}
            href={href}
            onClick={() => setOpen(false)}
            {...(pages.includes(route.page) && { "aria-current": "page" as const })}
          >
            {title}
          </a>
        ))}
      </nav>
      <div class="bar-end">
        <LiveBadge flow={flow} />
        <ThemeButton />
        <button
          type="button"
          class="icon-button menu-button"
          aria-expanded={open}
          aria-controls="nav"
          aria-label="Menu"
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? "close" : "menu"} />
        </button>
      </div>
    </header>
  );
}

function Page({ route, embed }: { route: Route; embed: boolean }) {
  switch (route.page) {
    case "health":
      return <HealthPage />;
    case "dataflow":
      return <DataflowPage />;
    case "plugin":
      return <PluginPage section={route.section} name={route.name} />;
    case "sandboxes":
      return <SandboxesPage />;
    case "filter":
      return <FilterPage filter={route.filter} />;
    case "output":
      return <OutputPage filter={route.filter} file={route.file} embed={embed} />;
    case "terminations":
      return <TerminationsPage />;
    case "unknown":
      return (
        <>
          <h1>There is no such page</h1>
          <Empty title="The link may be old or incomplete">
            <p>
              Nothing is at <code>#{route.fragment}</code>. Go to <a href={link.health}>Health</a> or{" "}
              <a href={link.sandboxes}>Sandboxes</a>.
            </p>
          </Empty>
        </>
      );
  }
}
