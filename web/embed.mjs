// Turns a directory of built files into what the compiler takes: `node embed.mjs DIST OUT` writes OUT/assets.S, which
// includes the bytes, and OUT/assets_table.cpp, the table behind web/assets.hpp.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const [dist, out] = process.argv.slice(2).map((p) => path.resolve(p));
if (!out) {
  console.error('usage: node embed.mjs DIST OUT');
  process.exit(2);
}

const MEDIA_TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

const names = fs
  .readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((e) => e.isFile())
  .map((e) => path.join(e.parentPath ?? e.path, e.name))
  .map((file) => ({ file, name: `/${path.relative(dist, file)}` }))
  .sort((a, b) => (a.name < b.name ? -1 : 1)); // by code unit, as std::string_view compares ASCII

fs.mkdirSync(out, { recursive: true });
const assembly = ['.section .rodata'];
const declarations = [];
const rows = [];
names.forEach(({ file, name }, i) => {
  const type = MEDIA_TYPES[path.extname(name)];
  if (!type) throw new Error(`${name}: no media type is known for it`);
  if (!/^[\w./-]+$/.test(name)) throw new Error(`${name}: not a name that needs no escaping`);
  const bytes = fs.readFileSync(file);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const include = (label, from, digest) => {
    // The digest is there so that the assembler's input changes whenever the included bytes do.
    assembly.push(`.global ${label}`, `.global ${label}_end`, `${label}: .incbin "${from}" /* ${digest} */`, `${label}_end: .byte 0`);
    declarations.push(`extern const char ${label}[];`, `extern const char ${label}_end[];`);
  };
  include(`sallyport_asset_${i}`, file, hash);
  let compressed = '{}';
  const gzip = gzipSync(bytes, { level: 9 });
  gzip[9] = 255; // the operating system's field: the same bytes from every machine
  if (gzip.length < bytes.length) {
    const to = path.join(out, `asset_${i}.gz`);
    fs.writeFileSync(to, gzip);
    include(`sallyport_asset_${i}_gzip`, to, createHash('sha256').update(gzip).digest('hex'));
    compressed = `between(sallyport_asset_${i}_gzip, sallyport_asset_${i}_gzip_end)`;
  }
  const immutable = /-[A-Z0-9]{8}\.\w+$/.test(name);
  rows.push(
    `        {"${name}", "${type}", between(sallyport_asset_${i}, sallyport_asset_${i}_end), ${immutable},\n` +
      `         R"("${hash.slice(0, 32)}")", ${compressed}},`,
  );
});

const note = '// Written by web/embed.mjs; not to be edited.';
const write = (name, text) => fs.writeFileSync(path.join(out, name), text);
write('assets.S', ['/* Written by web/embed.mjs; not to be edited. */', ...assembly, '.section .note.GNU-stack,"",%progbits', ''].join('\n'));
write(
  'assets_table.cpp',
  `${note}
#include "web/assets.hpp"

#include <array>
#include <cstddef>

extern "C" {
${declarations.join('\n')}
}

namespace sallyport::web {

namespace {

std::string_view between(const char* begin, const char* end) noexcept { return {begin, static_cast<std::size_t>(end - begin)}; }

} // namespace

std::span<const asset> assets() noexcept
{
    static const std::array<asset, ${rows.length}> table{{
${rows.join('\n')}
    }};
    return table;
}

} // namespace sallyport::web
`,
);
