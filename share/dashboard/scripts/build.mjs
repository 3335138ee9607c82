// Builds the sources into dist/. The same sources and the same lock file give the same bytes.
//   node scripts/build.mjs [folder]      default: dist

import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(root, process.argv[2] ?? "dist");
const src = path.join(root, "src");

/** Pages of older versions, and the route that replaced each. */
const moved = { "heka_report.html": "#health", "heka_sandbox_termination.html": "#termination_report" };

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

await build({
  absWorkingDir: root,
  entryPoints: { app: "src/main.tsx", theme: "src/theme.ts", "app.style": "src/style/app.css" },
  outdir: out,
  bundle: true,
  minify: true,
  target: ["es2022", "chrome109", "firefox115", "safari16"],
  format: "iife",
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  legalComments: "none",
  banner: { js: "/* hekad dashboard; built from share/dashboard/src. Contains preact and uPlot, see licenses.txt. */" },
  logLevel: "warning",
});

// The page names every asset with a hash of its content, so that assets can be cached for ever.
const hash = async (name) =>
  createHash("sha256")
    .update(await readFile(path.join(out, name)))
    .digest("hex")
    .slice(0, 12);
await copyFile(path.join(src, "icon.svg"), path.join(out, "icon.svg"));
let page = await readFile(path.join(src, "index.html"), "utf8");
for (const name of ["app.js", "theme.js", "app.style.css", "icon.svg"]) {
  page = page.replaceAll(`"${name}"`, `"${name}?v=${await hash(name)}"`);
}
await writeFile(path.join(out, "index.html"), page);

for (const [name, route] of Object.entries(moved)) {
  const text = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=./${route}">
<title>Heka Dashboard</title>
<p>This page has moved to <a href="./${route}">the dashboard</a>.</p>
</html>
`;
  await writeFile(path.join(out, name), text);
}

const licenses = [];
for (const name of ["preact", "uplot"]) {
  const folder = path.join(root, "node_modules", name);
  const { version } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  licenses.push(`${name} ${version}\n\n${(await readFile(path.join(folder, "LICENSE"), "utf8")).trim()}\n`);
}
await writeFile(path.join(out, "licenses.txt"), licenses.join("\n\n"));
