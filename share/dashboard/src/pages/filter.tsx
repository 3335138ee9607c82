// All outputs of one filter, under one time range and one cursor.

import { isGraph } from "../data/sandboxes";
import { useSandboxes } from "../live/hooks";
import { type Name, pick } from "../route";
import { Absent, Empty } from "../ui/parts";
import { GraphView } from "./graph-view";
import { Crumbs } from "./output";
import { TextView } from "./text-view";

export function FilterPage({ filter }: { filter: Name }) {
  const { value, state, problem } = useSandboxes();
  const sandbox = pick(value ?? [], ({ name }) => name, filter);
  return (
    <>
      <Crumbs filter={sandbox?.name ?? filter.decoded} known={false} />
      <h1>{sandbox?.name ?? filter.decoded}</h1>
      {!value ? (
        <Absent state={state} problem={problem} what="the list of sandboxes" />
      ) : !sandbox ? (
        <Empty title={`No running sandbox is named ${filter.decoded}`}>
          <p>It appears here after its first inject_payload.</p>
        </Empty>
      ) : (
        sandbox.outputs.map((output) => {
          const View = isGraph(output.file) ? GraphView : TextView;
          return <View key={output.file} filter={sandbox.name} output={output} embed={false} level={2} />;
        })
      )}
    </>
  );
}
