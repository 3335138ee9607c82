// The state of everything at a glance: what runs through, what waits, what fails.

import { type ComponentChildren } from "preact";
import { type Flow } from "../data/flow";
import { holders, ICONS, nodeOf, TITLES } from "../data/plugins";
import { type Sample } from "../data/rates";
import {
  dropsOf,
  type Entry,
  errorOf,
  failuresOf,
  type Fill,
  fillOf,
  findEntry,
  numberOf,
  type Report,
  type Section,
} from "../data/report";
import { formatBytes, formatDuration, formatNumber, formatRate } from "../data/units";
import { rates, useFlow, useReport } from "../live/hooks";
import { reportRates, useReportRates } from "../live/report-rates";
import { useView } from "../place";
import { link } from "../route";
import { Icon } from "../ui/icon";
import { Absent, Empty, FillBar, Notice, Panel, Spark } from "../ui/parts";
import { DataTable, type TableColumn } from "../ui/table";

/** Nodes that hold the rest for less than this are only working. */
const HOLD_SECONDS = 5;

const EXAMPLES: Partial<Record<Section, string>> = {
  inputs: `[logs]
type = "LogstreamerInput"
log_directory = "/var/log/nginx"
file_match = 'access\\.log'`,
  filters: `[CounterFilter]
message_matcher = "TRUE"
ticker_interval = 1`,
  outputs: `[LogOutput]
message_matcher = "TRUE"
encoder = "PayloadEncoder"

[PayloadEncoder]`,
};

export function HealthPage() {
  const report = useReport();
  const { value: flow } = useFlow();
  const [view, setView] = useView();
  useReportRates(report.value);
  const wanted = (view.get("q") ?? "").toLowerCase();
  if (!report.value) {
    return (
      <>
        <h1>Health</h1>
        <Absent state={report.state} problem={report.problem} what="the first report">
          hekad reports once every ticker_interval of its dashboard, five seconds unless configured otherwise.
        </Absent>
      </>
    );
  }
  return (
    <>
      <div class="page-head">
        <h1>Health</h1>
        <input
          class="search"
          type="search"
          placeholder="Find a plugin"
          aria-label="Find a plugin"
          value={view.get("q") ?? ""}
          onInput={(event) => setView([["q", event.currentTarget.value]])}
        />
      </div>
      {report.problem !== undefined && report.state === "error" && <Notice level="warn">{report.problem}</Notice>}
      <Troubles report={report.value} flow={flow} />
      <Figures report={report.value} flow={flow} />
      {(["inputs", "splitters", "decoders", "filters", "outputs", "encoders"] as const).map((section) => (
        <PluginTable
          key={section}
          section={section}
          entries={report.value?.[section] ?? []}
          wanted={wanted}
          flow={flow}
        />
      ))}
    </>
  );
}

/** What needs somebody's attention, in words. */
function Troubles({ report, flow }: { report: Report; flow: Flow | undefined }) {
  const failed = (Object.keys(TITLES) as Section[]).flatMap((section) =>
    report[section].flatMap((entry) => {
      const node = nodeOf(section, entry.name);
      const error = errorOf(entry) ?? (node === undefined ? undefined : flow?.nodes.get(node)?.error);
      return error === undefined ? [] : [{ section, name: entry.name, error }];
    }),
  );
  const held = flow ? holders(flow).filter(([, { holdsSince }]) => flow.time - holdsSince >= HOLD_SECONDS) : [];
  if (failed.length === 0 && held.length === 0) return null;
  return (
    <div class="troubles">
      {failed.slice(0, 5).map(({ section, name, error }) => (
        <Notice level="bad" key={`${section} ${name}`}>
          <a href={link.plugin(section, name)}>{name}</a>: {error}
        </Notice>
      ))}
      {failed.length > 5 && <Notice level="bad">{failed.length - 5} more plugins report errors.</Notice>}
      {held.slice(0, 3).map(([node, { holdsSince }]) => (
        <Notice level="warn" key={node}>
          <a href={link.node(node)}>{node}</a> has held back what is before it for{" "}
          <span class="num">{formatDuration((flow?.time ?? 0) - holdsSince)}</span>. Inputs stop reading when the memory
          budget is used up.
        </Notice>
      ))}
    </div>
  );
}

function Figures({ report, flow }: { report: Report; flow: Flow | undefined }) {
  const router = findEntry(report, "globals", "Router");
  const processed = numberOf(router, "ProcessMessageCount") ?? flow?.nodes.get("router")?.messages;
  const rate = rates.rate("router") ?? reportRates.rate("globals Router");
  const history = rates.history("router").length > 1 ? rates.history("router") : reportRates.history("globals Router");
  const inputPool = fillOf(findEntry(report, "globals", "inputRecycleChan"), "InChan");
  const injectPool = fillOf(findEntry(report, "globals", "injectRecycleChan"), "InChan");
  return (
    <section class="figures" aria-label="Figures">
      <Figure title="Router" caption="Messages Processed" value={formatOr(processed)} wide>
        <Spark samples={history} width={132} height={34} />
        <span class="figure-rate num">{rate === undefined ? " " : formatRate(rate)}</span>
      </Figure>
      <Pool title="Router" caption="Messages in Channel" fill={fillOf(router, "InChan")} />
      <Pool title="inputRecycleChan" caption="Messages Available" fill={inputPool} />
      <Pool title="injectRecycleChan" caption="Messages Available" fill={injectPool} />
      <Figure
        title="Uptime"
        caption={flow?.version === undefined ? "Since the start" : `Version ${flow.version}`}
        value={flow?.started === undefined ? "–" : formatDuration(flow.time - flow.started)}
      />
    </section>
  );
}

function Pool({ title, caption, fill }: { title: string; caption: string; fill: Fill | undefined }) {
  const value =
    fill === undefined
      ? "–"
      : fill.capacity === undefined
        ? formatNumber(fill.length)
        : `${formatNumber(fill.length)}/${formatNumber(fill.capacity)}`;
  return <Figure title={title} caption={caption} value={value} />;
}

interface FigureProps {
  title: string;
  caption: string;
  value: string;
  wide?: boolean;
  children?: ComponentChildren;
}

function Figure({ title, caption, value, wide = false, children }: FigureProps) {
  return (
    <div class={wide ? "figure wide-figure" : "figure"}>
      <div class="figure-main">
        <div class="figure-title">{title}</div>
        <div class="figure-value num">{value}</div>
        <div class="figure-caption">{caption}</div>
      </div>
      {children !== undefined && <div class="figure-side">{children}</div>}
    </div>
  );
}

const formatOr = (value: number | undefined): string => (value === undefined ? "–" : formatNumber(value));

interface PluginTableProps {
  section: Section;
  entries: Entry[];
  wanted: string;
  flow: Flow | undefined;
}

function PluginTable({ section, entries, wanted, flow }: PluginTableProps) {
  const shown = wanted === "" ? entries : entries.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (shown.length === 0) {
    const example = EXAMPLES[section];
    if (wanted !== "" || example === undefined) return null;
    return (
      <Panel title={TITLES[section]}>
        <Empty title={`No ${section} are configured`} example={example}>
          <p>For example:</p>
        </Empty>
      </Panel>
    );
  }
  return (
    <Panel title={TITLES[section]} aside={<span class="count">{shown.length}</span>}>
      <DataTable
        label={TITLES[section]}
        columns={columnsOf(section, shown, flow)}
        rows={shown}
        rowKey={({ name }) => name}
        even
      />
    </Panel>
  );
}

/** The columns of a section: those it always had, and others where there is something to say. */
function columnsOf(section: Section, entries: Entry[], flow: Flow | undefined): TableColumn<Entry>[] {
  const consumer = section === "filters" || section === "outputs";
  const has = (value: (entry: Entry) => unknown): boolean => entries.some((entry) => value(entry) !== undefined);
  const processed = (entry: Entry): number | undefined => numberOf(entry, "ProcessMessageCount") ?? nodeMessages(entry);
  const nodeMessages = (entry: Entry): number | undefined =>
    flow?.nodes.get(nodeOf(section, entry.name) ?? "")?.messages;
  const duration = consumer ? "MatchAvgDuration" : "ProcessMessageAvgDuration";
  const timed = section === "decoders" || section === "encoders";
  const columns: (TableColumn<Entry> | false)[] = [
    {
      id: "name",
      title: "Name",
      sort: ({ name }) => name,
      cell: (entry) => <PluginName section={section} entry={entry} flow={flow} />,
    },
    {
      id: "rate",
      title: "Rate",
      numeric: true,
      sort: (entry) => rateOf(section, entry),
      cell: (entry) => <Rate section={section} entry={entry} />,
    },
    (consumer || section === "decoders") && bar("InChan", "In Channel"),
    consumer && has((entry) => fillOf(entry, "MatchChan")) && bar("MatchChan", "Match Channel"),
    (timed || consumer) &&
      has((entry) => numberOf(entry, duration)) &&
      number(
        duration,
        consumer ? "Match Duration" : "Process Duration",
        (entry) => numberOf(entry, duration),
        (n) => `${formatNumber(n)} ns`,
      ),
    (timed || has((entry) => failuresOf(entry) || undefined)) &&
      number("failures", timed ? "Process Failures" : "Failures", failuresOf, formatNumber, true),
    has((entry) => dropsOf(entry)) && number("drops", "Dropped", dropsOf, formatNumber, true),
    has((entry) => numberOf(entry, "QueueBytes")) &&
      number("queue", "Queue", (entry) => numberOf(entry, "QueueBytes"), formatBytes),
    has((entry) => numberOf(entry, "Memory")) && {
      id: "memory",
      title: "Memory",
      wide: true,
      sort: (entry) => numberOf(entry, "Memory"),
      cell: (entry) => <FillBar fill={memoryOf(entry)} format={formatBytes} />,
    },
    {
      id: "processed",
      title: "Processed",
      numeric: true,
      sort: processed,
      cell: (entry) => formatMaybe(processed(entry), formatNumber),
    },
  ];
  return columns.filter((column): column is TableColumn<Entry> => column !== false);

  function bar(channel: string, title: string): TableColumn<Entry> {
    return {
      id: channel,
      title,
      wide: true,
      sort: (entry) => fillOf(entry, channel)?.length,
      cell: (entry) => <FillBar fill={fillOf(entry, channel)} />,
    };
  }
}

function number(
  id: string,
  title: string,
  value: (entry: Entry) => number | undefined,
  format: (value: number) => string,
  alarming = false,
): TableColumn<Entry> {
  return {
    id,
    title,
    numeric: true,
    wide: true,
    sort: value,
    cell: (entry) => {
      const n = value(entry);
      return alarming && n !== undefined && n > 0 ? <span class="alarm">{format(n)}</span> : formatMaybe(n, format);
    },
  };
}

const formatMaybe = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? "" : format(value);

function memoryOf(entry: Entry): Fill | undefined {
  const length = numberOf(entry, "Memory");
  // MaxMemory is the most there ever was, which says nothing of how much there may be.
  const capacity = numberOf(entry, "MemoryLimit");
  return length === undefined ? undefined : capacity === undefined ? { length } : { length, capacity };
}

function PluginName({ section, entry, flow }: { section: Section; entry: Entry; flow: Flow | undefined }) {
  const node = flow?.nodes.get(nodeOf(section, entry.name) ?? "");
  const error = errorOf(entry) ?? node?.error;
  const held = node?.holdsSince !== undefined && flow !== undefined && flow.time - node.holdsSince >= HOLD_SECONDS;
  return (
    <span class="plugin-name">
      <Icon name={ICONS[section]} />
      <a href={link.plugin(section, entry.name)}>{entry.name}</a>
      {error !== undefined && <span class="tag bad">failed</span>}
      {held && <span class="tag warn">holding</span>}
    </span>
  );
}

/** The rate of a plugin: from the dataflow, else between two reports. */
export function rateOf(section: Section, entry: Entry): number | undefined {
  const node = nodeOf(section, entry.name);
  return (node === undefined ? undefined : rates.rate(node)) ?? reportRates.rate(`${section} ${entry.name}`);
}

export function historyOf(section: Section, entry: Entry): readonly Sample[] {
  const node = nodeOf(section, entry.name);
  const own = node === undefined ? [] : rates.history(node);
  return own.length > 1 ? own : reportRates.history(`${section} ${entry.name}`);
}

function Rate({ section, entry }: { section: Section; entry: Entry }) {
  const rate = rateOf(section, entry);
  if (rate === undefined) return null;
  return (
    <span class="rate">
      <Spark samples={historyOf(section, entry)} />
      <span class="rate-text">{formatRate(rate)}</span>
    </span>
  );
}
