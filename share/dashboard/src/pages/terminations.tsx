// Sandboxes that were terminated, and why.

import { type Termination } from "../data/termination";
import { formatDate, formatExact, formatIso, formatNumber } from "../data/units";
import { useTerminations } from "../live/hooks";
import { Empty, Loading, Notice } from "../ui/parts";
import { DataTable, type TableColumn } from "../ui/table";

interface Row extends Termination {
  /** Position in the file; the same event may come twice. */
  index: number;
}

const COLUMNS: TableColumn<Row>[] = [
  {
    id: "time",
    title: "Date",
    sort: ({ time, index }) => time + index / 1e6,
    cell: ({ time }) => (
      <time class="num nowrap" dateTime={formatIso(time)} title={formatExact(time)}>
        {formatDate(time)}
      </time>
    ),
  },
  {
    id: "plugin",
    title: "Plugin",
    sort: ({ plugin }) => plugin,
    cell: ({ plugin }) => <span class="strong">{plugin}</span>,
  },
  {
    id: "message",
    title: "Message",
    cell: ({ message, counters }) => (
      <>
        <span class="message">{message}</span>
        {counters.length > 0 && (
          <ul class="counters">
            {counters.map(([name, value]) => (
              <li key={name}>
                <span class="muted">{name}</span> <span class="num">{formatNumber(value)}</span>
              </li>
            ))}
          </ul>
        )}
      </>
    ),
  },
];

export function TerminationsPage() {
  const { value, state, problem } = useTerminations();
  const rows = (value ?? []).map((termination, index): Row => ({ ...termination, index }));
  const none = state === "missing" || (value !== undefined && rows.length === 0);
  return (
    <>
      <h1>Termination Report</h1>
      {problem !== undefined && <Notice level="warn">{problem}</Notice>}
      {state === "loading" && <Loading what="the report" />}
      {none && (
        <Empty title="No plugins have been terminated">
          <p>
            A sandbox that fails, or that uses more memory, output or instructions than its limits allow, is stopped and
            listed here with the reason.
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <div class="panel">
          <DataTable
            label="Terminated plugins"
            columns={COLUMNS}
            rows={rows}
            rowKey={({ index }) => String(index)}
            stack
          />
        </div>
      )}
    </>
  );
}
