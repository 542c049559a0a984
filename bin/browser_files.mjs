// node bin/browser_files.mjs NODE_MODULES OUT: the few files of other people that a browser loads.
//
// An allow-list: nothing else of node_modules is ever served. Written into OUT:
//   bootstrap.min.css   Bootstrap's styles
//   bootstrap.js        its dropdown, collapse and offcanvas as one ES module, for the browsers of our floor
//   icons.svg           one sprite of the Tabler icons named in platform/config/static/yc/icons.txt
//   licenses.txt        their licences
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const modules = path.resolve(process.argv[2]);
const out = path.resolve(process.argv[3]);
const FLOOR = ["chrome84", "ios14.5"]; // the oldest web views that trainees' phones still carry
const NAMES = path.join(root, "platform/config/static/yc/icons.txt");

mkdirSync(out, { recursive: true });
writeFileSync(path.join(out, "bootstrap.min.css"), withoutSourceMap(read("bootstrap/dist/css/bootstrap.min.css")));
await bundleBootstrap();
writeFileSync(path.join(out, "icons.svg"), sprite(iconNames()));
writeFileSync(
  path.join(out, "licenses.txt"),
  ["bootstrap/LICENSE", "@popperjs/core/LICENSE.md", "@tabler/icons/LICENSE"]
    .map((file) => `== ${file}\n\n${read(file)}`)
    .join("\n\n"),
);

function read(/** @type {string} */ file) {
  return readFileSync(path.join(modules, file), "utf8");
}

/** A hashed static storage would look for the map, which is not served. */
function withoutSourceMap(/** @type {string} */ text) {
  return text.replace(/\/\*# sourceMappingURL=.*?\*\/\s*$/, "");
}

async function bundleBootstrap() {
  const esbuild = createRequire(path.join(modules, "_"))("esbuild");
  await esbuild.build({
    stdin: {
      contents: ["Dropdown", "Collapse", "Offcanvas"]
        .map((name) => `export { default as ${name} } from "bootstrap/js/src/${name.toLowerCase()}.js";`)
        .join("\n"),
      resolveDir: path.dirname(modules),
    },
    nodePaths: [modules],
    bundle: true,
    minify: true,
    format: "esm",
    target: FLOOR,
    legalComments: "none",
    outfile: path.join(out, "bootstrap.js"),
    logLevel: "warning",
  });
}

function iconNames() {
  if (!existsSync(NAMES)) return [];
  return readFileSync(NAMES, "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter(Boolean);
}

function sprite(/** @type {string[]} */ names) {
  const unknown = names.filter((name) => !existsSync(path.join(modules, `@tabler/icons/icons/outline/${name}.svg`)));
  if (unknown.length) throw new Error(`icons.txt names icons that @tabler/icons does not have: ${unknown.join(", ")}`);
  const symbols = [...new Set(names)].sort().map((name) => {
    const shapes = read(`@tabler/icons/icons/outline/${name}.svg`)
      .replace(/<svg[^>]*>|<\/svg>|<path stroke="none" d="M0 0h24v24H0z" fill="none" \/>/g, "")
      .replace(/\s*\n\s*/g, "");
    return (
      `<symbol id="tabler-${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" ` +
      `stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}
