// The filters that have outputs, with a link to each of these.

import { isGraph, type SandboxOutput, typeOf } from "../data/sandboxes";
import { useReport, useSandboxes } from "../live/hooks";
import { link } from "../route";
import { Icon } from "../ui/icon";
import { Absent, Empty, Notice } from "../ui/parts";

const EXAMPLE = `[http_status]
type = "SandboxFilter"
filename = "lua_filters/http_status.lua"
message_matcher = "Type == 'nginx.access'"
ticker_interval = 60`;

export function SandboxesPage() {
  const { value, state, problem } = useSandboxes();
  const { value: report } = useReport();
  const running = new Set(report?.filters.map(({ name }) => name));
  return (
    <>
      <h1>Sandboxes</h1>
      {value && problem !== undefined && <Notice level="warn">{problem}</Notice>}
      {!value ? (
        <Absent state={state} problem={problem} what="the list of sandboxes">
          The dashboard writes it with its first report, after one ticker_interval.
        </Absent>
      ) : value.length === 0 ? (
        <Empty title="No sandboxes are configured" example={EXAMPLE}>
          <p>
            A sandbox appears here once it has called inject_payload. This one draws the status codes of a web server:
          </p>
        </Empty>
      ) : (
        <div class="cards">
          {value.map(({ name, outputs }) => (
            <section class="panel card" key={name} aria-label={name}>
              <header class="panel-head">
                <h2>
                  <Icon name="filter" />
                  <a href={running.has(name) || !report ? link.plugin("filters", name) : link.filter(name)}>{name}</a>
                </h2>
                {outputs.length > 1 && (
                  <a class="aside" href={link.filter(name)}>
                    Show all {outputs.length}
                  </a>
                )}
              </header>
              <OutputList filter={name} outputs={outputs} />
            </section>
          ))}
        </div>
      )}
    </>
  );
}

/** Outputs by name, with their type. */
export function OutputList({ filter, outputs }: { filter: string; outputs: SandboxOutput[] }) {
  return (
    <ul class="outputs">
      {outputs.map(({ name, file }) => (
        <li key={file}>
          <Icon name={isGraph(file) ? "graph" : "text"} />
          <a href={link.output(filter, file)}>{name === "" ? "[Untitled]" : name}</a>
          <span class="tag">{typeOf(file)}</span>
        </li>
      ))}
    </ul>
  );
}
