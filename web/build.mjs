// Bundles src/ into a directory of files: one HTML page, one script and one style sheet named by their content, the
// icons, the manifest and the service worker. `node build.mjs [--out DIR]`; DIR is dist unless it says otherwise.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = path.dirname(fileURLToPath(import.meta.url));
const SCRIPT_LIMIT = 100_000; // bytes, compressed: what a telephone on a train should have to wait for

function option(name, fallback) {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
}

const out = path.resolve(option('--out', path.join(here, 'dist')));
const source = (name) => path.join(here, 'src', name);

const bundle = await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx', style: 'src/styles/main.css' },
  outdir: out,
  entryNames: 'assets/[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome111', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
});

const built = (entry) => {
  const name = Object.entries(bundle.metafile.outputs).find(([, o]) => o.entryPoint === entry)?.[0];
  if (!name) throw new Error(`nothing was built from ${entry}`);
  return `/${path.relative(out, path.resolve(here, name))}`;
};

// A name with the content's hash, so that the file may be kept for ever.
function hashed(name) {
  const bytes = fs.readFileSync(source(name));
  const { name: stem, ext } = path.parse(name);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
  return { bytes, path: `/assets/${stem}-${hash}${ext}` };
}

const files = new Map(bundle.outputFiles.map((f) => [`/${path.relative(out, f.path)}`, Buffer.from(f.contents)]));
const icon = hashed('icon.svg');
files.set(icon.path, icon.bytes);
// Drawn from icon.svg (draw_icons.mjs): not every launcher takes a drawing, and a maskable one is cut to any shape.
const pictures = Object.fromEntries(['icon-192.png', 'icon-512.png', 'icon-maskable-512.png'].map((name) => [name, hashed(name)]));
for (const one of Object.values(pictures)) files.set(one.path, one.bytes);
files.set(
  '/manifest.webmanifest',
  Buffer.from(
    fs
      .readFileSync(source('manifest.webmanifest'), 'utf8')
      .replaceAll('@ICON@', icon.path)
      .replace(/@(icon-[\w-]+\.png)@/g, (_, name) => pictures[name].path),
  ),
);

// At the root, so that its scope is every page; its name stays, for browsers ask for it again by that.
const worker = await build({
  absWorkingDir: here,
  entryPoints: ['src/worker/sw.ts'],
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2022', 'chrome111', 'firefox113', 'safari16.4'],
  legalComments: 'none',
  write: false,
  logLevel: 'warning',
});
const workerText = worker.outputFiles[0].text.replaceAll('@ICON@', pictures['icon-192.png'].path);
files.set('/sw.js', Buffer.from(workerText));
const page = fs
  .readFileSync(source('index.html'), 'utf8')
  .replaceAll('@SCRIPT@', built('src/main.tsx'))
  .replaceAll('@STYLE@', built('src/styles/main.css'))
  .replaceAll('@ICON@', icon.path)
  .replaceAll('@TOUCH_ICON@', pictures['icon-192.png'].path);
if (page.includes('@')) throw new Error('index.html: a placeholder was left');
files.set('/index.html', Buffer.from(page));

fs.rmSync(out, { recursive: true, force: true });
for (const [name, bytes] of files) {
  const to = path.join(out, name);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(to, bytes);
}

const script = gzipSync(files.get(built('src/main.tsx')), { level: 9 }).length;
console.log(`${files.size} files; script ${script} bytes compressed, style ${gzipSync(files.get(built('src/styles/main.css'))).length}`);
if (script > SCRIPT_LIMIT) throw new Error(`the script is ${script} bytes compressed, more than ${SCRIPT_LIMIT}`);
