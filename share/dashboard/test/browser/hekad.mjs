// The real daemon, with sandboxes that show something, for tests in a browser.

import { spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./harness.mjs";

const share = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** A graph of two series with an annotation, and a text that would be a program if anybody took it for one. */
const TRAFFIC = `
require "circular_buffer"
require "string"
local math = require "math"
local data = circular_buffer.new(120, 2, 1)
data:set_header(1, "Requests")
data:set_header(2, "Errors")
local odd
function process_message()
    local time, errors = read_message("Timestamp"), 0
    if string.find(read_message("Payload"), "error", 1, true) then errors = 1 end
    data:add(time, 1, 1)
    data:add(time, 2, errors)
    local row = math.floor(time / 1e9) * 1000
    if not odd or row > odd + 60000 then odd = row end
    return 0
end
function timer_event(ns)
    add_to_payload(string.format('{"annotations":[{"x":%d,"col":1,"shortText":"A","text":"odd traffic"}]}\\n', odd or 0), data)
    inject_payload("cbuf", "Traffic")
    inject_payload("html", "Note", "<script>window.__hit = 1</script><b>bold</b>")
end
`;

const DIES = `
function process_message() return 1, "<img src=x onerror=window.__hit=1>\\twas the last" end
`;

const config = (address, dir) => `
[hekad]
maxprocs = 2
base_dir = "${dir}/state"
share_dir = "${share}"
[LogstreamerInput]
log_directory = "${dir}/logs"
file_match = 'app\\.log'
rescan_interval = "100ms"
[traffic]
type = "SandboxFilter"
filename = "${dir}/traffic.lua"
message_matcher = "Type == 'logfile'"
ticker_interval = 1
[dies]
type = "SandboxFilter"
filename = "${dir}/dies.lua"
message_matcher = "Type == 'logfile' && Payload == 'end\\n'"
[CounterFilter]
message_matcher = "Type == 'logfile'"
[PayloadEncoder]
[copy]
type = "FileOutput"
message_matcher = "Type == 'logfile'"
encoder = "PayloadEncoder"
path = "${dir}/copy"
use_buffering = true
[dashboard]
type = "DashboardOutput"
address = "${address}"
ticker_interval = 1
`;

/** Starts the daemon that $HEKAD names. Lines come until it is stopped; `say` adds one. */
export async function startHekad() {
  const dir = await mkdtemp(path.join(os.tmpdir(), "hekad-"));
  const address = `127.0.0.1:${await freePort()}`;
  await mkdir(path.join(dir, "logs"));
  await writeFile(path.join(dir, "traffic.lua"), TRAFFIC);
  await writeFile(path.join(dir, "dies.lua"), DIES);
  await writeFile(path.join(dir, "hekad.toml"), config(address, dir));
  let log = "";
  const child = spawn(process.env.HEKAD, [`-config=${path.join(dir, "hekad.toml")}`]);
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (log += text));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const say = (line) => appendFile(path.join(dir, "logs", "app.log"), `${line}\n`);
  let count = 0;
  const traffic = setInterval(() => void say((count += 1) % 5 === 0 ? "an error" : "a request"), 100);
  const server = { url: `http://${address}/` };
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`hekad has ended:\n${log}`);
    const reply = await fetch(`${server.url}data/traffic.Traffic.cbuf`).catch(() => undefined);
    return reply?.status === 200;
  }, "hekad shows something");
  return {
    server,
    say,
    async stop() {
      clearInterval(traffic);
      child.kill("SIGINT");
      const code = await ended;
      await rm(dir, { recursive: true, force: true });
      return code;
    },
  };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
