/**
 * Builds what is served as files, the chat page and the document of the HTTP API:
 * src/web and src/openapi → dist/page. Wrangler runs this before it starts
 * or deploys; files that come out as they were are left alone, because a touched
 * one would make a running `wrangler dev` reload and close its sockets.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { openapi } from "../src/openapi/document.ts";

const SOURCE = new URL("../src/web/", import.meta.url);
const TARGET = new URL("../dist/page/", import.meta.url);

/** Served as they are; `_headers` is read by the asset server and sets the page's security policy. */
const COPIED = ["index.html", "_headers"];

await mkdir(new URL("v1/", TARGET), { recursive: true });
await Promise.all([writeBundles(), writeDocument(), ...COPIED.map(copy)]);

async function writeDocument(): Promise<void> {
  const text = `${JSON.stringify(openapi())}\n`;
  await writeChanged(fileURLToPath(new URL("v1/openapi.json", TARGET)), Buffer.from(text));
}

async function writeBundles(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: ["main.ts", "styles.css"].map((name) => fileURLToPath(new URL(name, SOURCE))),
    outdir: fileURLToPath(TARGET),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    sourcemap: false,
    legalComments: "none",
    logLevel: "warning",
    write: false,
  });
  for (const { path, contents } of outputFiles) await writeChanged(path, contents);
}

async function copy(name: string): Promise<void> {
  await writeChanged(fileURLToPath(new URL(name, TARGET)), await readFile(new URL(name, SOURCE)));
}

async function writeChanged(path: string, contents: Uint8Array): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present === undefined || Buffer.compare(present, contents) !== 0) await writeFile(path, contents);
}
