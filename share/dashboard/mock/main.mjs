// Runs the mock by hand:  npm run mock -- [--port=4352] [--hostile | --empty] [--no-events]

import { publishHostile } from "./hostile.mjs";
import { Model } from "./model.mjs";
import { MockServer } from "./server.mjs";

const flags = new Set(process.argv.slice(2));
const port = Number([...flags].find((flag) => flag.startsWith("--port="))?.slice(7) ?? 4352);
const server = await new MockServer().start(port);
server.events = !flags.has("--no-events");

if (flags.has("--hostile")) {
  publishHostile(server);
} else if (flags.has("--empty")) {
  server.set("heka_report.json", '{"globals":[]}\n');
  server.set("sandboxes.json", '{"sandboxes":[]}\n');
} else {
  const model = new Model();
  model.publish(server);
  setInterval(() => {
    model.step(1);
    model.publish(server);
  }, 1000);
}
console.log(`The dashboard is at ${server.url}`);
