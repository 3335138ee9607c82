// One plugin: everything its report says, what runs through it, and its outputs.

import { bytesKey } from "../data/rates";
import { ICONS, nodeOf, TITLES } from "../data/plugins";
import { errorOf, type Reading, type Section } from "../data/report";
import { formatBytes, formatDuration, formatRate, formatReading } from "../data/units";
import { rates, useFlow, useReport, useSandboxes } from "../live/hooks";
import { useReportRates } from "../live/report-rates";
import { link, type Name, pick } from "../route";
import { Icon } from "../ui/icon";
import { Absent, Empty, Notice, Panel, Spark } from "../ui/parts";
import { DataTable, type TableColumn } from "../ui/table";
import { historyOf, rateOf } from "./health";
import { OutputList } from "./sandboxes";

/** Members that say nothing to a reader. */
const INTERNAL = new Set(["Name", "Outputs", "id", "Id", "cid"]);

const COLUMNS: TableColumn<[string, Reading]>[] = [
  { id: "name", title: "Name", sort: ([name]) => name, cell: ([name]) => name },
  {
    id: "value",
    title: "Value",
    numeric: true,
    cell: ([, { value, representation }]) => <span class="value">{formatReading(value, representation)}</span>,
  },
];

export function PluginPage({ section, name }: { section: Section; name: Name }) {
  const { value: report, state, problem } = useReport();
  const { value: sandboxes } = useSandboxes();
  const { value: flow } = useFlow();
  useReportRates(report);
  if (!report) return <Absent state={state} problem={problem} what="the first report" />;
  const entry = pick(report[section], (entry) => entry.name, name);
  if (!entry) {
    return (
      <>
        <h1>{name.decoded}</h1>
        <Empty title={`No ${section.slice(0, -1)} of this name is running`}>
          <p>
            It is shown here as soon as a report has it. All that run are under <a href={link.health}>Health</a>; the
            stopped ones in the <a href={link.terminations}>Termination Report</a>.
          </p>
        </Empty>
      </>
    );
  }
  const nodeName = nodeOf(section, entry.name);
  const node = nodeName === undefined ? undefined : flow?.nodes.get(nodeName);
  const rate = rateOf(section, entry);
  const bytes = nodeName === undefined ? undefined : rates.rate(bytesKey(nodeName));
  const error = errorOf(entry) ?? node?.error;
  const properties = [...entry.readings].filter(([key]) => !INTERNAL.has(key));
  const outputs =
    section === "filters" ? sandboxes?.find((sandbox) => sandbox.name === entry.name)?.outputs : undefined;
  return (
    <>
      <nav class="crumbs" aria-label="Path">
        <a href={link.health}>Health</a>
        <span aria-hidden="true">/</span>
        <span>{TITLES[section]}</span>
        {nodeName !== undefined && flow?.nodes.has(nodeName) && (
          <a class="crumb-aside" href={link.node(nodeName)}>
            In the dataflow
          </a>
        )}
      </nav>
      <h1 class="with-icon">
        <Icon name={ICONS[section]} /> {entry.name}
      </h1>
      {error !== undefined && <Notice level="bad">{error}</Notice>}
      {node?.holdsSince !== undefined && flow && (
        <Notice level="warn">
          It has held back what is before it for {formatDuration(flow.time - node.holdsSince)}.
        </Notice>
      )}
      {rate !== undefined && (
        <div class="figures" aria-label="Figures" role="region">
          <div class="figure wide-figure">
            <div class="figure-main">
              <div class="figure-title">Rate</div>
              <div class="figure-value num">{formatRate(rate)}</div>
              <div class="figure-caption">{bytes === undefined ? "Messages" : `Messages, ${formatBytes(bytes)}/s`}</div>
            </div>
            <div class="figure-side">
              <Spark samples={historyOf(section, entry)} width={240} height={48} />
            </div>
          </div>
        </div>
      )}
      <div class="columns">
        <Panel title="Properties">
          {properties.length === 0 ? (
            <p class="hint">No additional properties</p>
          ) : (
            <DataTable label="Properties" columns={COLUMNS} rows={properties} rowKey={([key]) => key} />
          )}
        </Panel>
        {outputs && outputs.length > 0 && (
          <Panel title="Plug-in Outputs" aside={outputs.length > 1 && <a href={link.filter(entry.name)}>Show all</a>}>
            <OutputList filter={entry.name} outputs={outputs} />
          </Panel>
        )}
      </div>
    </>
  );
}
