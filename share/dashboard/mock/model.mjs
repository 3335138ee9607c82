// An imagined daemon: its dataflow, counters, sandboxes and their graphs, moving on by steps.

const HOUR = 3600;

/** Random numbers that are the same in every run. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Dataflow of a web server's logs and a network input, with a queue and a loop. */
export const GRAPH = makeGraph();

function makeGraph() {
  const nodes = [];
  const edges = [];
  const node = (name, details = [], worker = 0) => (nodes.push({ name, details, worker }), name);
  const edge = (from, to) => edges.push({ from, to });
  const chain = (...names) => names.slice(1).forEach((to, i) => edge(names[i], to));
  chain(
    node("input nginx_logs", ["LogstreamerInput"]),
    node("split nginx_logs-TokenSplitter"),
    node("decode nginx_logs-nginx_access", ["SandboxDecoder"]),
    "router",
  );
  chain(
    node("input agents", ["TcpInput"], 1),
    node("split agents-HekaFramingSplitter", [], 1),
    node("decode agents-ProtobufDecoder", ["ProtobufDecoder"], 1),
    "router",
  );
  chain(node("input statsd", ["UdpInput"], 1), node("split statsd-NullSplitter", [], 1), "router");
  node("router", [], null);
  const filter = (name, type, expression, every, worker) => {
    chain(
      "router",
      node(`match ${name}`, [expression], null),
      node(`filter ${name}`, [type, `every ${every} s`], worker),
    );
    chain(node(`ticks ${name}`, [], worker), `filter ${name}`, "injected");
    edge(`filter ${name}`, "checkpoint");
  };
  filter("HTTPStatus", "SandboxFilter", "Type == 'nginx.access'", 60, 0);
  filter("FxaLatency", "SandboxFilter", "Type == 'nginx.access' && Fields[uri] =~ /^\\/v1\\//", 60, 1);
  filter("HostLoad", "SandboxFilter", "Type == 'heka.statmetric'", 10, 0);
  filter("CounterFilter", "CounterFilter", "TRUE", 5, 1);
  const output = (name, type, expression, encoder, worker) => {
    chain(
      "router",
      node(`match ${name}`, [expression], null),
      node(`output ${name}`, [type, `encoder ${encoder}`], worker),
    );
    edge(`output ${name}`, "checkpoint");
  };
  output("archive", "FileOutput", "Type == 'nginx.access'", "ProtobufEncoder", 0);
  chain(
    "router",
    node("match elasticsearch", ["Type == 'nginx.access' && Fields[status] >= 400"], null),
    node("output elasticsearch.buffer", ["disk queue", "encoder ESJsonEncoder"], 1),
    "checkpoint",
  );
  chain(
    node("input elasticsearch.queue", ["disk queue"], 1),
    node("split elasticsearch.queue-HekaFramingSplitter", [], 1),
    node("decode elasticsearch.queue-ProtobufDecoder", [], 1),
    node("output elasticsearch", ["ElasticSearchOutput", "encoder ESJsonEncoder"], 1),
    node("checkpoint elasticsearch", [], null),
  );
  output("alerts", "SmtpOutput", "Type == 'heka.sandbox-output' && Fields[payload_type] == 'alert'", "AlertEncoder", 0);
  output("DashboardOutput", "DashboardOutput", "Type =~ /^heka\\./", "PayloadEncoder", 0);
  chain(node("injected", [], null), node("Feedback", [], null), "router");
  node("checkpoint", [], null);
  return { workers: 2, nodes, edges };
}

/** Messages per second of an input, or the share of what a node before it has seen. */
const FLOWS = {
  "input nginx_logs": 18_400,
  "input agents": 3200,
  "input statsd": 640,
  "match HTTPStatus": 0.82,
  "match FxaLatency": 0.31,
  "match HostLoad": 0.03,
  "match CounterFilter": 1,
  "match archive": 0.82,
  "match elasticsearch": 0.021,
  "match alerts": 0,
  "match DashboardOutput": 0.0001,
};

export class Model {
  constructor(now = Date.now() / 1000, seed = 7) {
    this.random = generator(seed);
    this.started = now - 3.4 * 86400;
    this.now = now;
    this.counts = new Map();
    this.held = now - 14;
    const seconds = now - this.started;
    this.run(seconds, () => 1);
    this.buffers = makeBuffers(now, this.random);
    this.terminations = [
      [
        now - 2.1 * 86400,
        "UserAgents",
        "process_message() lua_filters/user_agents.lua:41: attempt to index local 'ua' (a nil value)",
      ],
      [
        now - 5.2 * HOUR,
        "SlowGrammar",
        "slow consumer ProcessMessageCount:1834 ProcessMessageSamples:91 ProcessMessageAvgDuration:4120233 MatchAvgDuration:412 " +
          "FilterChanLength:30 MatchChanLength:30 RouterChanLength:28",
      ],
    ];
  }

  /** Moves on by `seconds`. */
  step(seconds) {
    this.now += seconds;
    this.run(seconds, () => 0.8 + this.random() * 0.4);
    for (const buffer of this.buffers) buffer.advance(this.now);
  }

  run(seconds, sway) {
    const add = (name, n) => this.counts.set(name, (this.counts.get(name) ?? 0) + n);
    const moved = new Map();
    let routed = 0;
    for (const { name } of GRAPH.nodes) {
      if (!name.startsWith("input ") || FLOWS[name] === undefined) continue;
      const n = FLOWS[name] * seconds * sway();
      routed += n;
      moved.set(name, n);
    }
    moved.set("router", routed);
    for (let round = 0; round < 6; round++) {
      for (const { from, to } of GRAPH.edges) {
        if (to === "router" || moved.has(to) || !moved.has(from)) continue;
        const quiet = to === "injected" || to.startsWith("checkpoint");
        moved.set(
          to,
          to.startsWith("match ") ? moved.get("router") * FLOWS[to] : quiet ? seconds * 0.4 : moved.get(from),
        );
      }
    }
    const drained = moved.get("output elasticsearch.buffer") * 0.9;
    for (const name of [
      "input elasticsearch.queue",
      "split elasticsearch.queue-HekaFramingSplitter",
      "decode elasticsearch.queue-ProtobufDecoder",
      "output elasticsearch",
    ])
      moved.set(name, drained);
    for (const [name, n] of moved) add(name, n);
    for (const { from, to } of GRAPH.edges) {
      const quiet = to === "injected" || to.startsWith("checkpoint");
      const n = quiet
        ? seconds * 0.4
        : from.startsWith("match ")
          ? moved.get(to)
          : to.startsWith("match ")
            ? moved.get("router")
            : moved.get(from);
      add(`${from}>${to}`, n ?? 0);
    }
  }

  count(name) {
    return Math.round(this.counts.get(name) ?? 0);
  }

  flow() {
    const queue = 41e6 + (this.count("output elasticsearch") % 9e6);
    const extra = {
      "output elasticsearch": { holds_since: this.held, failures: 12 },
      "output elasticsearch.buffer": { queue: { length: queue, capacity: 64 * 2 ** 20, unit: "B" } },
      "filter HTTPStatus": { queue: { length: Math.floor(this.random() * 9), capacity: 30, unit: "count" } },
      "filter FxaLatency": { queue: { length: 19 + Math.floor(this.random() * 4), capacity: 30, unit: "count" } },
      "output archive": { queue: { length: Math.floor(this.random() * 3), capacity: 30, unit: "count" } },
      "decode nginx_logs-nginx_access": { failures: 31 },
      "input statsd": { dropped: 204 },
      "output alerts": { error: "connection to smtp.example.com:25 refused, next attempt in 30 s" },
    };
    return {
      version: "0.1.0",
      hostname: "web-3.example.com",
      time: this.now,
      started: this.started,
      nodes: GRAPH.nodes.map(({ name }) => ({
        name,
        messages: this.count(name),
        ...(/^(input|output) /.test(name) && { bytes: this.count(name) * 212 }),
        ...extra[name],
      })),
      edges: GRAPH.edges.map(({ from, to }) => ({
        from,
        to,
        messages: this.count(`${from}>${to}`),
        ...(to === "output elasticsearch" && {
          waiting: Math.round(queue / 400),
          lag_ms: (this.now - this.held) * 1000,
        }),
      })),
    };
  }

  report() {
    const reading = (value, representation = "count") => ({ value, representation });
    const channel = (length, name = "InChan") => ({
      [`${name}Capacity`]: reading(30),
      [`${name}Length`]: reading(length),
    });
    const names = (prefix) =>
      GRAPH.nodes
        .map(({ name }) => name)
        .filter((name) => name.startsWith(prefix) && !/\.(queue|buffer)/.test(name))
        .map((name) => name.slice(prefix.length));
    const some = (n) => Math.floor(this.random() * n);
    const sandbox = (max) => ({
      Memory: reading(some(max * 0.7), "B"),
      MaxMemory: reading(Math.round(max * 0.8), "B"),
      MemoryLimit: reading(max, "B"),
      MaxInstructions: reading(112),
      MaxOutput: reading(2124, "B"),
    });
    const consumer = (kind) => (name) => ({
      Name: name,
      ...channel(name === "FxaLatency" ? 20 + some(3) : some(4)),
      ...channel(some(3), "MatchChan"),
      LeakCount: reading(0),
      MatchAvgDuration: reading(180 + some(900), "ns"),
      ProcessMessageCount: reading(this.count(`${kind} ${name}`)),
      ProcessMessageFailures: reading(name === "elasticsearch" ? 12 : 0),
      ...(kind === "filter" &&
        name !== "CounterFilter" && {
          InjectMessageCount: reading(this.count(`filter ${name}`) % 5000),
          ...sandbox(8 * 2 ** 20),
        }),
      ...(name === "elasticsearch" && {
        QueueBytes: reading(41_203_113, "B"),
        QueueFiles: reading(3),
        "Dropped-too-large": reading(2),
      }),
    });
    return {
      globals: [
        { Name: "inputRecycleChan", InChanCapacity: reading(100), InChanLength: reading(92 + some(8)) },
        { Name: "injectRecycleChan", InChanCapacity: reading(100), InChanLength: reading(97 + some(3)) },
        { Name: "Router", ...channel(some(6)), ProcessMessageCount: reading(this.count("router")) },
      ],
      inputs: names("input ").map((Name) => ({
        Name,
        ProcessMessageCount: reading(this.count(`input ${Name}`)),
        ProcessMessageBytes: reading(this.count(`input ${Name}`) * 212, "B"),
        ...(Name === "statsd" && { ReceiveBuffer: reading(212_992, "B"), DropMessageCount: reading(204) }),
      })),
      splitters: names("split ").map((Name) => ({ Name, ProcessMessageCount: reading(this.count(`split ${Name}`)) })),
      decoders: names("decode ").map((Name) => ({
        Name,
        ...channel(some(2)),
        ProcessMessageFailures: reading(Name.includes("nginx") ? 31 : 0),
        ProcessMessageAvgDuration: reading(900 + some(200), "ns"),
        ProcessMessageCount: reading(this.count(`decode ${Name}`)),
        ...(Name.includes("nginx") && sandbox(2 * 2 ** 20)),
      })),
      filters: names("filter ").map(consumer("filter")),
      outputs: names("output ").map(consumer("output")),
      encoders: ["elasticsearch-ESJsonEncoder", "archive-ProtobufEncoder"].map((Name) => ({
        Name,
        ProcessMessageFailures: reading(0),
        ProcessMessageAvgDuration: reading(1200 + some(300), "ns"),
        ProcessMessageCount: reading(this.count(`output ${Name.split("-")[0]}`)),
      })),
    };
  }

  sandboxes() {
    const list = new Map();
    const add = (filter, Name, Filename) =>
      list.set(filter, [...(list.get(filter) ?? []), { Name, Filename: `data/${Filename}` }]);
    for (const { filter, title, file } of this.buffers) add(filter, title, file);
    for (const { filter, title, file } of this.texts()) add(filter, title, file);
    return { sandboxes: [...list].map(([Name, Outputs]) => ({ Name, Outputs })) };
  }

  texts() {
    const seconds = Math.round(this.now - this.started);
    return [
      {
        filter: "FxaLatency",
        title: "slow requests",
        file: "FxaLatency.slowrequests.tsv",
        text:
          [
            "uri\tcount\tp99 ms",
            `/v1/account/login\t${seconds % 977}\t412`,
            "/v1/certificate/sign\t204\t388",
            "/v1/session/status\t77\t301",
          ].join("\n") + "\n",
      },
      {
        filter: "HTTPStatus",
        title: "message schema",
        file: "HTTPStatus.messageschema.json",
        text: JSON.stringify({
          "nginx.access": {
            count: seconds,
            fields: {
              status: { type: "double", representation: "" },
              uri: { type: "string" },
              tags: ["edge", "tls", null, true],
            },
          },
        }),
      },
      {
        filter: "HTTPStatus",
        title: "",
        file: "HTTPStatus..txt",
        text: `Requests in the last minute: ${60_000 + (seconds % 500)}\nServer errors:                  ${seconds % 40}\n`,
      },
      {
        filter: "HostLoad",
        title: "alert",
        file: "HostLoad.alert.alert",
        text: "HostLoad - algorithm: roc col: 1 msg: detected anomaly, standard deviation exceeds 1.5\n",
      },
    ];
  }

  termination() {
    return this.terminations.map(([time, plugin, text]) => `${Math.round(time)}\t${plugin}\t${text}\n`).join("");
  }

  /** Writes everything to a server. */
  publish(server) {
    const json = (value) =>
      JSON.stringify(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`) + "\n";
    server.set("graph.json", json(GRAPH));
    server.set("flow.json", json(this.flow()));
    server.set("heka_report.json", json(this.report()));
    server.set("sandboxes.json", json(this.sandboxes()));
    server.set("heka_sandbox_termination.tsv", this.termination());
    for (const buffer of this.buffers) server.set(buffer.file, buffer.text());
    for (const { file, text } of this.texts()) server.set(file, text);
  }
}

function makeBuffers(now, random) {
  const day = (time) => 0.55 - 0.45 * Math.cos(((time % 86400) / 86400) * 2 * Math.PI);
  const noise = (size) => 1 + (random() - 0.5) * size;
  const http = new Buffer({
    filter: "HTTPStatus",
    title: "HTTP Status",
    file: "HTTPStatus.HTTPStatus.cbuf",
    rows: 1440,
    step: 60,
    now,
    columns: [
      ["HTTP_200", "count"],
      ["HTTP_300", "count"],
      ["HTTP_400", "count"],
      ["HTTP_500", "count"],
      ["HTTP_UNKNOWN", "count"],
    ],
    row: (t) => {
      const base = 52_000 * day(t) * noise(0.14);
      const trouble = Math.abs(t - (now - 5.5 * HOUR)) < 900;
      return [
        base * (trouble ? 0.55 : 1),
        base * 0.12 * noise(0.3),
        base * 0.02 * noise(0.5),
        trouble ? 9000 * noise(0.4) : random() * 30,
        null,
      ].map(whole);
    },
  });
  http.annotations = [
    {
      x: (now - 5.5 * HOUR - ((now - 5.5 * HOUR) % 60)) * 1000,
      col: 4,
      shortText: "A",
      text: "detected anomaly, standard deviation exceeds 3",
    },
    {
      x: (now - 5.2 * HOUR - ((now - 5.2 * HOUR) % 60)) * 1000,
      col: 1,
      shortText: "A",
      text: "detected anomaly, decreasing values",
    },
    {
      x: (now - 15 * HOUR - ((now - 15 * HOUR) % 60)) * 1000,
      col: 1,
      shortText: "D",
      text: "deployment 2184",
      severity: "info",
    },
  ];
  const hosts = new Buffer({
    filter: "HostLoad",
    title: "Load (1MinAvg)",
    file: "HostLoad.Load1MinAvg.cbuf",
    rows: 360,
    step: 60,
    now,
    columns: Array.from({ length: 10 }, (_, i) => [`web_${i + 1}`, "load"]),
    options: { stackedGraph: true, fillGraph: true },
    row: (t) =>
      Array.from({ length: 10 }, (_, i) =>
        i === 6 && t % 7200 < 2400 ? null : Number(((0.4 + day(t) * (1 + (i % 4) / 2)) * noise(0.35)).toFixed(2)),
      ),
  });
  const latency = new Buffer({
    filter: "FxaLatency",
    title: "Latency",
    file: "FxaLatency.Latency.cbuf",
    rows: 720,
    step: 5,
    now,
    columns: [
      ["p50", "ms"],
      ["p95", "ms"],
      ["p99", "ms"],
    ],
    row: (t) => {
      if (t % 1800 < 60) return [null, null, null];
      const p50 = (11 + 6 * day(t)) * noise(0.3);
      return [p50, p50 * 4.2 * noise(0.4), random() < 0.004 ? Infinity : p50 * 14 * noise(0.9)].map((v) =>
        Number(v.toFixed(1)),
      );
    },
  });
  return [http, hosts, latency];
}

const whole = (value) => (value === null ? null : Math.round(value));

class Buffer {
  annotations = undefined;
  data = [];

  constructor(spec) {
    Object.assign(this, spec);
    this.first = Math.floor(spec.now / spec.step) * spec.step - (spec.rows - 1) * spec.step;
    for (let i = 0; i < spec.rows; i++) this.data.push(spec.row(this.first + i * spec.step));
  }

  advance(now) {
    while (this.first + this.rows * this.step <= now) {
      this.data.shift();
      this.first += this.step;
      this.data.push(this.row(this.first + (this.rows - 1) * this.step));
    }
  }

  text() {
    const extras = {
      ...(this.annotations && { annotations: this.annotations }),
      ...(this.options && { options: this.options }),
    };
    const header = {
      time: this.first,
      rows: this.rows,
      columns: this.columns.length,
      seconds_per_row: this.step,
      column_info: this.columns.map(([name, unit]) => ({ name, unit, aggregation: "sum" })),
    };
    const cell = (value) => (value === null ? "nan" : value === Infinity ? "inf" : String(value));
    const lines = this.data.map((row) => row.map(cell).join("\t"));
    return (
      [...(Object.keys(extras).length > 0 ? [JSON.stringify(extras)] : []), JSON.stringify(header), ...lines].join(
        "\n",
      ) + "\n"
    );
  }
}
