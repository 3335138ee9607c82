// One output of a sandbox, on a page of its own or inside somebody else's.

import { isGraph, type SandboxOutput } from "../data/sandboxes";
import { useReport, useSandboxes } from "../live/hooks";
import { link, type Name, pick } from "../route";
import { Notice } from "../ui/parts";
import { GraphView } from "./graph-view";
import { TextView } from "./text-view";

export function OutputPage({ filter, file, embed }: { filter: Name; file: Name; embed: boolean }) {
  const { value: sandboxes, state } = useSandboxes();
  const sandbox = pick(sandboxes ?? [], ({ name }) => name, filter);
  const listed = pick(sandbox?.outputs ?? [], ({ file }) => file, file);
  // The file may be there although the list does not have it: yet, or no more.
  const output: SandboxOutput = listed ?? unlisted(filter.decoded, file.decoded);
  const name = sandbox?.name ?? filter.decoded;
  const View = isGraph(output.file) ? GraphView : TextView;
  const view = <View key={output.file} filter={name} output={output} embed={embed} level={1} />;
  if (embed) return view;
  return (
    <>
      <Crumbs filter={name} known={sandbox !== undefined} />
      {state === "ok" && !listed && (
        <Notice level="info">
          No running filter has this output. If its file is still there, it is shown as it was last written.
        </Notice>
      )}
      {view}
    </>
  );
}

/** The path to an output: the list, and the filter. */
export function Crumbs({ filter, known }: { filter: string; known: boolean }) {
  const { value: report } = useReport();
  const running = report?.filters.some(({ name }) => name === filter) ?? false;
  return (
    <nav class="crumbs" aria-label="Path">
      <a href={link.sandboxes}>Sandboxes</a>
      <span aria-hidden="true">/</span>
      {known ? <a href={link.filter(filter)}>{filter}</a> : <span>{filter}</span>}
      {running && (
        <a class="crumb-aside" href={link.plugin("filters", filter)}>
          Properties
        </a>
      )}
    </nav>
  );
}

/** An output of which only the file's name is known: `<filter>.<title>.<type>`. */
function unlisted(filter: string, file: string): SandboxOutput {
  const rest = file.startsWith(`${filter}.`) ? file.slice(filter.length + 1) : file;
  return { name: rest.replace(/\.[^.]*$/, ""), path: `data/${file}`, file };
}
