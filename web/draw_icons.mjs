// Draws the pictures that launchers want from src/icon.svg: `node draw_icons.mjs [CHROMIUM]`. They are committed, for the build needs no
// browser. A maskable one may be cut to a circle of four fifths of its width: its drawing is smaller, and its ground goes to the edge.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), 'src');
const svg = fs.readFileSync(path.join(source, 'icon.svg'), 'utf8');
const maskable = svg.replace(/ rx="\d+"/, '').replace(/(<path[\s\S]*)<\/svg>/, '<g transform="translate(32 32) scale(.72) translate(-32 -33)">$1</g></svg>');

const browser = await chromium.launch({ executablePath: process.argv[2] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const [name, drawing, size] of [
  ['icon-192.png', svg, 192],
  ['icon-512.png', svg, 512],
  ['icon-maskable-512.png', maskable, 512],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${drawing}`);
  await page.screenshot({ path: path.join(source, name), omitBackground: true });
  await page.close();
}
await browser.close();
