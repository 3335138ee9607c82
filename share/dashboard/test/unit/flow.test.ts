import assert from "node:assert/strict";
import { test } from "node:test";
import { condense, expand } from "../../src/data/condense";
import { edgeKey, parseGraph } from "../../src/data/flow";
import { settle } from "../../src/flow/align";
import { assignLayers, backArcs } from "../../src/flow/layers";
import { layOut } from "../../src/flow/layout";
import { crossings, orderLayers } from "../../src/flow/order";

/** As `hekad --dump-graph=json` prints it: an input with a decoder, a filter that injects, a buffered output. */
const GRAPH = parseGraph(
  JSON.stringify({
    workers: 2,
    nodes: [
      ["input web", ["TcpInput"]],
      ["split web-TokenSplitter", []],
      ["decode web-Nginx", ["SandboxDecoder"]],
      ["router", []],
      ["match Count", ["TRUE"]],
      ["filter Count", ["CounterFilter"]],
      ["ticks Count", []],
      ["match es", ["Type == 'x'"]],
      ["output es.buffer", ["disk queue"]],
      ["input es.queue", ["disk queue"]],
      ["split es.queue-HekaFramingSplitter", []],
      ["decode es.queue-ProtobufDecoder", []],
      ["output es", ["ElasticSearchOutput"]],
      ["checkpoint es", []],
      ["injected", []],
      ["Feedback", []],
      ["checkpoint", []],
    ].map(([name, details]) => ({ name, details, worker: null })),
    edges: [
      ["input web", "split web-TokenSplitter"],
      ["split web-TokenSplitter", "decode web-Nginx"],
      ["decode web-Nginx", "router"],
      ["router", "match Count"],
      ["match Count", "filter Count"],
      ["ticks Count", "filter Count"],
      ["filter Count", "injected"],
      ["filter Count", "checkpoint"],
      ["injected", "Feedback"],
      ["Feedback", "router"],
      ["router", "match es"],
      ["match es", "output es.buffer"],
      ["input es.queue", "split es.queue-HekaFramingSplitter"],
      ["split es.queue-HekaFramingSplitter", "decode es.queue-ProtobufDecoder"],
      ["decode es.queue-ProtobufDecoder", "output es"],
      ["output es", "checkpoint es"],
      ["output es.buffer", "checkpoint"],
    ].map(([from, to]) => ({ from, to })),
  }),
);

test("nodes get their kind and name from the graph's names", () => {
  assert.deepEqual(
    GRAPH.nodes.slice(0, 5).map(({ kind, label, title }) => [kind, label, title]),
    [
      ["input", "web", "web"],
      ["splitter", "web-TokenSplitter", "TokenSplitter"],
      ["decoder", "web-Nginx", "Nginx"],
      ["router", "router", "router"],
      ["matcher", "Count", "Count"],
    ],
  );
});

test("edges to nodes that do not exist are left out", () => {
  const graph = parseGraph('{"nodes":[{"name":"router"}],"edges":[{"from":"router","to":"gone"},{"from":1},null]}');
  assert.deepEqual(graph.edges, []);
  assert.equal(graph.workers, 1);
});

test("the short picture has what the configuration names", () => {
  const { nodes, edges } = condense(GRAPH);
  assert.deepEqual(nodes.map(({ id }) => id).sort(), [
    "decode web-Nginx",
    "filter Count",
    "input web",
    "output es",
    "output es.buffer",
    "router",
  ]);
  assert.deepEqual(nodes.find(({ id }) => id === "output es.buffer")?.kind, "queue");
  assert.deepEqual(edges.map(({ from, to }) => `${from} > ${to}`).sort(), [
    "decode web-Nginx > router",
    "filter Count > router",
    "input web > decode web-Nginx",
    "output es.buffer > output es",
    "router > filter Count",
    "router > output es.buffer",
  ]);
  const matched = edges.find(({ to }) => to === "filter Count");
  assert.equal(matched?.counted, edgeKey("match Count", "filter Count"), "what matched, not what was offered");
  assert.equal(matched?.expression, "TRUE");
});

test("the long picture has everything", () => {
  const { nodes, edges } = expand(GRAPH);
  assert.equal(nodes.length, GRAPH.nodes.length);
  assert.equal(edges.length, GRAPH.edges.length);
});

test("a loop is opened at the edge that closes it", () => {
  const arcs = [
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 2, to: 1 },
    { from: 2, to: 3 },
  ];
  assert.deepEqual([...backArcs(4, arcs)], [2]);
  assert.deepEqual([...backArcs(1, [{ from: 0, to: 0 }])], [0], "a node that leads to itself");
});

test("every node stands after those before it, and sources next to what they feed", () => {
  const arcs = [
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 0, to: 2 },
    { from: 3, to: 2 },
  ];
  assert.deepEqual(assignLayers(4, arcs), [0, 1, 2, 1]);
});

test("order removes the crossings that can be removed", () => {
  const layers = [
    [0, 1, 2],
    [3, 4, 5],
  ];
  const arcs = [
    { from: 0, to: 5 },
    { from: 1, to: 4 },
    { from: 2, to: 3 },
  ];
  const after = new Map(arcs.map(({ from, to }) => [from, [to]]));
  assert.equal(crossings(layers, after), 3);
  assert.equal(crossings(orderLayers(layers, arcs), after), 0);
});

test("places keep order and room, and are the wishes where these allow it", () => {
  assert.deepEqual(
    settle([
      { at: 0, weight: 1, room: 10 },
      { at: 50, weight: 1, room: 10 },
    ]),
    [0, 50],
  );
  assert.deepEqual(
    settle([
      { at: 10, weight: 1, room: 10 },
      { at: 10, weight: 1, room: 10 },
    ]),
    [5, 15],
  );
  assert.deepEqual(
    settle([
      { at: 0, weight: 3, room: 4 },
      { at: 0, weight: 1, room: 4 },
    ]),
    [-1, 3],
  );
  assert.deepEqual(settle([]), []);
});

test("no two nodes overlap, whatever the graph", () => {
  let state = 1;
  const random = (n: number): number => (state = (state * 48271) % 2147483647) % n;
  for (let round = 0; round < 60; round++) {
    const count = 1 + random(40);
    const sizes = Array.from({ length: count }, () => ({ width: 100 + random(90), height: 36 + random(20) }));
    const edges = Array.from({ length: random(3 * count) }, () => ({ from: random(count), to: random(count) }));
    const { boxes, lines, width, height } = layOut(sizes, edges);
    assert.equal(lines.length, edges.length);
    for (const [i, a] of boxes.entries()) {
      assert.ok(
        a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height + 0.01,
        "inside the picture",
      );
      for (const b of boxes.slice(i + 1)) {
        const apart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y + 0.01 || b.y + b.height <= a.y + 0.01;
        assert.ok(apart, `round ${round}`);
      }
    }
    for (const { path } of lines) assert.doesNotMatch(path, /NaN|undefined/);
  }
});

test("a thousand plugins are laid out too, and nothing gives nothing", () => {
  const sizes = Array.from({ length: 2001 }, () => ({ width: 188, height: 56 }));
  const edges = Array.from({ length: 1000 }, (_, i) => [
    { from: 0, to: i + 1 },
    { from: i + 1, to: i + 1001 },
  ]).flat();
  const { boxes } = layOut(sizes, edges);
  assert.equal(new Set(boxes.map(({ column }) => column)).size, 3);
  assert.deepEqual(layOut([], []), { width: 0, height: 0, boxes: [], lines: [] });
});
