import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvent } from "../../src/live/hub";
import { Resource, versionOf } from "../../src/live/resource";

type Answer = { status: number; text?: string; headers?: Record<string, string> } | Error;

/** A resource whose requests get the given answers in turn, and what it asked. */
function resource(...answers: Answer[]) {
  const asked: Record<string, string>[] = [];
  const fetcher = (async (_: unknown, init: RequestInit) => {
    asked.push(init.headers as Record<string, string>);
    const answer = answers.shift();
    if (!answer || answer instanceof Error) throw answer ?? new Error("no more answers");
    const body = answer.status === 304 ? null : (answer.text ?? "");
    return new Response(body, { status: answer.status, headers: answer.headers ?? {} });
  }) as typeof fetch;
  return { asked, it: new Resource("data/x", 2000, fetcher) };
}

test("asks with the tag it has, and keeps the text when nothing changed", async () => {
  const { it, asked } = resource({ status: 200, text: "one", headers: { ETag: '"v1"' } }, { status: 304 });
  let calls = 0;
  it.subscribe(() => calls++);
  assert.equal(await it.refresh(), "changed");
  assert.equal(it.version, "v1");
  assert.equal(await it.refresh(), "same");
  assert.deepEqual(asked, [{}, { "If-None-Match": '"v1"' }]);
  assert.ok(it.snapshot.state === "ok" && it.snapshot.text === "one");
  assert.equal(calls, 1, "an unchanged document redraws nothing");
});

test("falls back to the date of modification", async () => {
  const date = "Sat, 01 Jan 2022 00:00:00 GMT";
  const { it, asked } = resource({ status: 200, text: "a", headers: { "Last-Modified": date } }, { status: 304 });
  await it.refresh();
  await it.refresh();
  assert.deepEqual(asked[1], { "If-Modified-Since": date });
});

test("a server that knows neither: equal text is no change", async () => {
  const { it } = resource({ status: 200, text: "a" }, { status: 200, text: "a" }, { status: 200, text: "b" });
  assert.deepEqual([await it.refresh(), await it.refresh(), await it.refresh()], ["changed", "same", "changed"]);
});

test("keeps the last document through failures, says why, and recovers", async () => {
  const { it } = resource(
    { status: 200, text: "a", headers: { ETag: '"1"' } },
    { status: 503 },
    new TypeError("network"),
    { status: 304 },
  );
  await it.refresh();
  assert.equal(await it.refresh(), "failed");
  assert.ok(it.snapshot.state === "error" && it.snapshot.text === "a" && /503/.test(it.snapshot.reason));
  assert.equal(await it.refresh(), "failed");
  assert.ok(it.snapshot.state === "error" && it.snapshot.text === "a" && /cannot be reached/.test(it.snapshot.reason));
  assert.equal(await it.refresh(), "same");
  assert.deepEqual({ ...(it as Resource).snapshot, at: 0 }, { state: "ok", text: "a", version: "1", at: 0 });
});

test("a document that is gone is missing, not an error", async () => {
  const { it, asked } = resource(
    { status: 200, text: "a", headers: { ETag: '"1"' } },
    { status: 404 },
    { status: 200, text: "b" },
  );
  await it.refresh();
  assert.equal(await it.refresh(), "missing");
  assert.equal(it.snapshot.state, "missing");
  assert.equal(await it.refresh(), "changed");
  assert.deepEqual(asked[2], {}, "its old tag is forgotten");
});

test("questions do not overlap, and one asked meanwhile is asked again", async () => {
  const { it, asked } = resource({ status: 200, text: "a" }, { status: 200, text: "b" });
  const [first, second] = [it.refresh(), it.refresh()];
  assert.equal(first, second);
  await first;
  assert.equal(asked.length, 1 + 1);
});

test("entity tags and events", () => {
  assert.equal(versionOf('W/"abc"'), "abc");
  assert.equal(versionOf(null), undefined);
  assert.deepEqual(readEvent('{"file":"data/x","version":"1"}'), { file: "data/x", version: "1" });
  for (const bad of ["", "null", "7", "{"]) assert.equal(readEvent(bad), undefined, bad);
  assert.deepEqual(readEvent('{"file":7}'), {});
});
