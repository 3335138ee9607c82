// What a change to the dashboard must keep: the committed build is what the sources give, it is small, the page needs
// no inline script or style, nothing is written as HTML, and no file names a machine or a package server.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const BUDGET = 150 * 1024;
const faults = [];

async function filesOf(folder, skip = []) {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = entries
    .filter(({ name }) => !skip.includes(name))
    .map((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesOf(file, skip) : [file];
    });
  return (await Promise.all(lists)).flat().sort();
}

const dist = path.join(root, "dist");
const fresh = await mkdtemp(path.join(tmpdir(), "dashboard-"));
try {
  const built = spawnSync(process.execPath, [path.join(root, "scripts/build.mjs"), fresh], { stdio: "inherit" });
  if (built.status !== 0) faults.push("The build fails.");
  const names = new Set([
    ...(await filesOf(dist)).map((f) => path.relative(dist, f)),
    ...(await filesOf(fresh)).map((f) => path.relative(fresh, f)),
  ]);
  for (const name of names) {
    const [a, b] = await Promise.all(
      [dist, fresh].map((folder) => readFile(path.join(folder, name)).catch(() => undefined)),
    );
    if (!a || !b || !a.equals(b)) faults.push(`dist/${name} is not what the sources give. Run npm run build.`);
  }
} finally {
  await rm(fresh, { recursive: true, force: true });
}

let total = 0;
for (const file of await filesOf(dist)) {
  const size = gzipSync(await readFile(file), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(7)} B  ${path.relative(root, file)}`);
}
console.log(`${String(total).padStart(7)} B  compressed, of ${BUDGET} B`);
if (total > BUDGET) faults.push(`The build has ${total} B compressed; at most ${BUDGET} are allowed.`);

const page = await readFile(path.join(dist, "index.html"), "utf8");
if (/<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=/i.test(page))
  faults.push("index.html has inline script or style.");
if (/\b(src|href)="(https?:)?\/\//.test(page)) faults.push("index.html loads something from elsewhere.");
if (/\b(eval|new Function)\s*\(/.test(await readFile(path.join(dist, "app.js"), "utf8")))
  faults.push("app.js makes code from text.");

for (const file of await filesOf(path.join(root, "src"))) {
  const text = await readFile(file, "utf8");
  if (/innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|setHTML/i.test(text)) {
    faults.push(`${path.relative(root, file)} writes HTML.`);
  }
}

const lock = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8"));
for (const [name, entry] of Object.entries(lock.packages)) {
  if (entry.resolved !== undefined) faults.push(`package-lock.json says where ${name} was loaded from.`);
  if (name !== "" && entry.integrity === undefined) faults.push(`package-lock.json has no checksum of ${name}.`);
}
const places = new RegExp(["registry\\.", "/(?:home|root|Users)/\\w", "[\"'`(= ]/(?:tmp|work)/"].join("|"));
for (const file of await filesOf(root, ["node_modules", "build", "verify.mjs"])) {
  const found = places.exec(await readFile(file, "utf8"));
  if (found) faults.push(`${path.relative(root, file)} names a place outside: ${found[0]}`);
}

for (const fault of faults) console.error(`✗ ${fault}`);
if (faults.length > 0) process.exit(1);
console.log("✓ reproducible, small, without inline code or HTML");
