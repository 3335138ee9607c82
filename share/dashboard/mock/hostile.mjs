// Data in which every text tries to run a script, or to break a link, a table, a number.

const BANG = "window.__hit=(window.__hit||0)+1";

export const TEXTS = [
  `<script>${BANG}</script>`,
  `"><img src=x onerror="${BANG}">`,
  `<svg onload="${BANG}">`,
  `javascript:${BANG}`,
  `' onmouseover='${BANG}`,
  `</pre><iframe srcdoc="<script>parent.${BANG}</script>"></iframe>`,
  "a/b?c#d%e&f \u202e\u0000",
  "__proto__",
  "x".repeat(300),
];

const reading = (value, representation = "count") => ({ value, representation });

/** Writes hostile data to a server; returns the names of filters and the files of their outputs. */
export function publishHostile(server) {
  const entries = TEXTS.map((text) => ({
    Name: text,
    [text]: reading(text, text),
    Error: reading(text, ""),
    ProcessMessageCount: reading(1),
    InChanLength: reading(1e300),
    InChanCapacity: reading(-1),
  }));
  const sections = ["globals", "inputs", "splitters", "decoders", "filters", "outputs", "encoders"];
  server.set("heka_report.json", JSON.stringify(Object.fromEntries(sections.map((section) => [section, entries]))));

  const files = [];
  const sandboxes = TEXTS.map((text, index) => {
    const outputs = ["cbuf", "txt", "json", "tsv", "alert"].map((type) => ({
      Name: text,
      Filename: `data/h${index}.<b>.${type}`,
    }));
    for (const { Filename } of outputs) files.push([text, Filename.slice(5)]);
    server.set(`h${index}.<b>.cbuf`, cbuf(text));
    server.set(`h${index}.<b>.txt`, `${text}\n`.repeat(3));
    server.set(`h${index}.<b>.json`, JSON.stringify({ [text]: [text, { [text]: text }] }));
    server.set(`h${index}.<b>.tsv`, `${text}\t${text}\n1\t2\n`);
    server.set(`h${index}.<b>.alert`, text);
    return { Name: text, Outputs: outputs };
  });
  server.set("sandboxes.json", JSON.stringify({ sandboxes }));
  server.set("heka_sandbox_termination.tsv", TEXTS.map((text) => `1409886000\t${text}\t${text}\n`).join(""));

  const nodes = TEXTS.flatMap((text) => [
    { name: `input ${text}`, details: [text], worker: 0 },
    { name: `match ${text}`, details: [text], worker: null },
    { name: `output ${text}`, details: [text], worker: 0 },
  ]);
  const edges = TEXTS.flatMap((text) => [
    { from: `input ${text}`, to: "router" },
    { from: "router", to: `match ${text}` },
    { from: `match ${text}`, to: `output ${text}` },
  ]);
  server.set(
    "graph.json",
    JSON.stringify({ workers: 1, nodes: [...nodes, { name: "router", details: [], worker: null }], edges }),
  );
  server.set(
    "flow.json",
    JSON.stringify({
      version: TEXTS[0],
      hostname: TEXTS[1],
      time: Date.now() / 1000,
      started: 0,
      nodes: nodes.map(({ name }) => ({
        name,
        messages: 1,
        error: name,
        queue: { length: 1, capacity: 2, unit: TEXTS[1] },
      })),
      edges: edges.map((edge) => ({ ...edge, messages: 1 })),
    }),
  );
  return { filters: TEXTS, files };
}

function cbuf(text) {
  const extras = {
    annotations: [
      { x: 60_000, col: 1, shortText: text, text },
      { x: 0, col: 99, shortText: text, text },
    ],
    options: {
      title: text,
      xlabel: text,
      ylabel: text,
      colors: [text, "url(//example.invalid/x)"],
      stackedGraph: true,
    },
  };
  const header = {
    time: 0,
    rows: 3,
    columns: 2,
    seconds_per_row: 60,
    column_info: [
      { name: text, unit: text, aggregation: text },
      { name: text, unit: text, aggregation: text },
    ],
  };
  return `${JSON.stringify(extras)}\n${JSON.stringify(header)}\n1\t2\nnan\t${text.replace(/[\t\n]/g, " ")}\n3\t4\n`;
}
