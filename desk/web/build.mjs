// Bundles the page's modules into ../static, with the licences of what is in them.

import { readdirSync, readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { build } from "esbuild";

const target = new URL("../static/", import.meta.url).pathname;
mkdirSync(target, { recursive: true });
const { metafile } = await build({
  entryPoints: { desk: "src/main.js", style: "src/style.css" },
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});

// Each package in the bundle, with its version and its licence.
const inputs = Object.keys(metafile.inputs).map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
const packages = [...new Set(inputs.filter(Boolean))].sort();
const texts = packages.map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const file = readdirSync(`node_modules/${name}`).find((path) => /^licen[cs]e/i.test(path));
  if (!file) throw new Error(`${name} has no licence file`);
  return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/${file}`, "utf8").trim()}\n`;
});
writeFileSync(`${target}LICENCES.txt`, texts.join(`\n${"-".repeat(79)}\n\n`));
