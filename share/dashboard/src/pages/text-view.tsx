// Any output that is not a graph: as a tree, a table, or the text itself. Never as HTML.

import { useMemo, useState } from "preact/hooks";
import { dataUrl, type SandboxOutput, typeOf } from "../data/sandboxes";
import { formatBytes } from "../data/units";
import { useDocument } from "../live/hooks";
import { useView } from "../place";
import { link } from "../route";
import { Icon } from "../ui/icon";
import { JsonTree } from "../ui/json-tree";
import { Absent, Notice } from "../ui/parts";

/** Longer texts are cut until somebody asks for the rest. */
const CUT = 200_000;
const TABLE_ROWS = 500;

const asIs = (text: string): string => text;

type Shape = { kind: "text" } | { kind: "json"; value: unknown } | { kind: "table"; rows: string[][] };

/** What a text can be shown as, beside itself. */
export function shapeOfText(text: string, file: string): Shape {
  if (/\.json$/i.test(file) && text.length <= 2_000_000) {
    try {
      return { kind: "json", value: JSON.parse(text) as unknown };
    } catch {
      return { kind: "text" };
    }
  }
  if (/\.tsv$/i.test(file)) {
    const rows = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"));
    if (rows.length > 0) return { kind: "table", rows };
  }
  return { kind: "text" };
}

interface Props {
  filter: string;
  output: SandboxOutput;
  embed: boolean;
  level: 1 | 2;
}

export function TextView({ filter, output, embed, level }: Props) {
  const { value: text, state, problem } = useDocument(dataUrl(output.file), asIs);
  const [view, setView] = useView();
  const shape = useMemo(() => shapeOfText(text ?? "", output.file), [text, output.file]);
  const raw = shape.kind === "text" || view.get("view") === "text";
  const title = output.name === "" ? "[Untitled]" : output.name;
  const Title = level === 1 ? "h1" : "h2";
  const body =
    text === undefined ? (
      <Absent state={state} problem={problem} what={title} />
    ) : raw ? (
      <Text text={text} label={title} />
    ) : shape.kind === "json" ? (
      <JsonTree value={shape.value} label={title} />
    ) : (
      <Rows rows={shape.kind === "table" ? shape.rows : []} label={title} />
    );
  if (embed) return <div class="text-embed">{body}</div>;
  return (
    <section class="output">
      <header class="page-head">
        <div>
          <Title>{title}</Title>
          <p class="sub">
            {typeOf(output.file) || "Text"}
            {text !== undefined && `, ${formatBytes(new Blob([text]).size)}`}
          </p>
        </div>
        <div class="actions">
          {shape.kind !== "text" && (
            <div class="segments" role="group" aria-label="Shown as">
              <button type="button" aria-pressed={!raw} onClick={() => setView([["view", ""]])}>
                {shape.kind === "json" ? "Tree" : "Table"}
              </button>
              <button type="button" aria-pressed={raw} onClick={() => setView([["view", "text"]])}>
                Text
              </button>
            </div>
          )}
          <a class="button" href={link.embed(filter, output.file)} target="_blank" rel="noopener">
            Embed
            <Icon name="external" />
          </a>
          <a class="button" href={dataUrl(output.file)} target="_blank" rel="noopener">
            Raw
            <Icon name="external" />
          </a>
        </div>
      </header>
      {text !== undefined && problem !== undefined && <Notice level="warn">{problem}</Notice>}
      <div class="panel">{body}</div>
    </section>
  );
}

function Text({ text, label }: { text: string; label: string }) {
  const [all, setAll] = useState(false);
  const cut = !all && text.length > CUT;
  return (
    <>
      <pre class="payload" tabIndex={0} role="region" aria-label={label}>
        {cut ? text.slice(0, CUT) : text}
      </pre>
      {text === "" && <p class="hint">The output is empty.</p>}
      {cut && (
        <p class="hint">
          The first {formatBytes(CUT)} of {formatBytes(text.length)}.{" "}
          <button type="button" class="link" onClick={() => setAll(true)}>
            Show everything
          </button>
        </p>
      )}
    </>
  );
}

function Rows({ rows, label }: { rows: string[][]; label: string }) {
  const width = Math.min(50, Math.max(...rows.slice(0, TABLE_ROWS).map((row) => row.length)));
  const columns = Array.from({ length: width }, (_, i) => i);
  return (
    <>
      <div class="table-box" role="region" aria-label={label} tabIndex={0}>
        <table class="table">
          <tbody>
            {rows.slice(0, TABLE_ROWS).map((row, index) => (
              <tr key={index}>
                {columns.map((column) => (
                  <td key={column} class={/^-?[\d.,]+$/.test(row[column] ?? "") ? "num" : ""}>
                    {row[column] ?? ""}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > TABLE_ROWS && (
        <p class="hint">
          The first {TABLE_ROWS} of {rows.length} rows. Raw has all.
        </p>
      )}
    </>
  );
}
