// Runs clang-tidy on our sources: `node tests/tidy/clang_tidy.mjs [--build DIR] [FILE…]`, FILE a part of a path. Silent when
// there is nothing to say; else its findings, each once, and 1. What passed is remembered in the build directory and
// looked at again only when the file, one of our headers that it includes, its flags, a library or the checks change.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Source } from './source.mjs';

const CLANG_TIDY = 'clang-tidy-16'; // Debian 12's default, 14, cannot read the coroutines of GCC 12
const INCLUDES = '/usr/lib/llvm-16/include';
const PATIENCE = 5 * 60_000; // for one file

const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.resolve(here, '../..');
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part).update('\0'), createHash('sha256')).digest('hex');
const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' });

// --- what is compiled, and how -----------------------------------------------------------------------------------------

// A command line's words, as the shell would take them apart.
function words(command) {
  return (command.match(/(?:[^\s"'\\]|\\[^]|"(?:[^"\\]|\\[^])*"|'[^']*')+/g) ?? []).map((word) =>
    word.replace(/'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g, (_, plain, quoted, escaped) => plain ?? quoted?.replace(/\\(["\\$`])/g, '$1') ?? escaped),
  );
}

// The arguments for clang: without what starts the compiler, and without GCC's precompiled headers, which would hide that a
// file does not include what it uses.
function forClang(command) {
  const given = words(command);
  const compiler = given.findIndex((word) => /(^|\/)(c|g|clang)\+\+(-\d+)?$/.test(word));
  const kept = [];
  for (let i = compiler + 1; i < given.length; ++i) {
    if (given[i] === '-include' && given[i + 1]?.endsWith('/cmake_pch.hxx')) ++i;
    else if (given[i] !== '-Winvalid-pch' && given[i] !== '-Werror') kept.push(given[i]);
  }
  // Without the second, clang-tidy reads every header twice, in case it were a module.
  return ['clang++', ...kept, '-Wno-unknown-warning-option', '-Xclang', '-fno-cxx-modules'];
}

function readCompileCommands(build) {
  const database = path.join(build, 'compile_commands.json');
  if (!fs.existsSync(database)) throw new Error(`${database} is not there: configure first (cmake --preset release)`);
  const all = JSON.parse(fs.readFileSync(database, 'utf8'));
  return all
    .map(({ directory, command, file }) => ({ directory, file, arguments: forClang(command), path: path.relative(top, file) }))
    .filter((entry) => /^(gateway|storage|workflows|notifiers|web|tests)\/.*\.cpp$/.test(entry.path));
}

// --- what has passed before --------------------------------------------------------------------------------------------

const read = new Map();
function source(file) {
  if (!read.has(file)) read.set(file, fs.existsSync(path.join(top, file)) ? new Source(file, fs.readFileSync(path.join(top, file), 'utf8')) : null);
  return read.get(file);
}

// A file and all of ours that it includes, in turn.
function withIncluded(file) {
  const seen = new Set([file]);
  for (const each of seen) for (const { name, own } of source(each).includes) if (own && source(name)) seen.add(name);
  return [...seen].sort();
}

// What counts for every file: the checks, this program, and the versions of all that can be included.
function commonKey() {
  const configurations = run('git', '-C', top, 'ls-files', '--cached', '--others', '--exclude-standard', '--', '.clang-tidy', '*/.clang-tidy').split('\n');
  const own = [...configurations.filter(Boolean).map((file) => path.join(top, file)), fileURLToPath(import.meta.url), path.join(here, 'own_code.cpp')];
  const packages = run('dpkg-query', '--show', '--showformat=${Package} ${Version}\n', '*-dev', CLANG_TIDY);
  return sha256(packages, ...own.map((file) => fs.readFileSync(file)));
}

const keyOf = (entry, common) =>
  sha256(common, ...entry.arguments.map((word) => word.replaceAll(top, '')), ...withIncluded(entry.path).flatMap((file) => [file, source(file).text]));

class Passed {
  #keys = new Map();
  constructor(file) {
    this.file = file;
    if (fs.existsSync(file)) this.#keys = new Map(Object.entries(JSON.parse(fs.readFileSync(file, 'utf8'))));
  }
  has(entry) { return this.#keys.get(entry.path) === entry.key; }
  add(entry) {
    this.#keys.set(entry.path, entry.key);
    fs.writeFileSync(`${this.file}.new`, JSON.stringify(Object.fromEntries(this.#keys), null, 1));
    fs.renameSync(`${this.file}.new`, this.file);
  }
}

// --- running -----------------------------------------------------------------------------------------------------------

// The plugin, compiled when its source has changed.
function plugin(directory) {
  const from = path.join(here, 'own_code.cpp');
  const made = path.join(directory, `own_code-${sha256(fs.readFileSync(from)).slice(0, 16)}.so`);
  if (!fs.existsSync(made)) {
    run('c++', '-std=c++17', '-O1', '-fno-rtti', '-shared', '-fPIC', '-isystem', INCLUDES, '-o', `${made}.new`, from);
    fs.renameSync(`${made}.new`, made);
  }
  return made;
}

// The findings in one file, as text; empty when there are none.
function findings(entry, directory, loaded) {
  return new Promise((resolve) => {
    const child = spawn(CLANG_TIDY, [`--load=${loaded}`, '-p', directory, '--quiet', entry.file], { cwd: top, timeout: PATIENCE });
    let out = '';
    let errors = '';
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (errors += text));
    child.on('error', (error) => resolve(`${entry.path}:1: ${CLANG_TIDY}: ${error.message}\n`));
    child.on('close', (status, signal) => {
      if (status === 0 || out !== '') resolve(out);
      else resolve(`${entry.path}:1: ${CLANG_TIDY} ended with ${signal ?? status}\n${errors}`);
    });
  });
}

// A header's findings come with every file that includes it; each is wanted once.
const printed = new Set();
function print(text) {
  for (const finding of text.replaceAll(`${top}/`, '').split(/^(?=\S+:\d+(?::\d+)?: (?!note:))/m)) {
    if (printed.has(finding)) continue;
    printed.add(finding);
    process.stdout.write(finding);
  }
}

class Progress {
  #began = Date.now();
  #told = Date.now();
  #done = 0;
  constructor(count) { this.count = count; }
  next() {
    ++this.#done;
    const line = `   clang-tidy: ${this.#done} of ${this.count}, ${Math.round((Date.now() - this.#began) / 1000)} s`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line}${this.#done === this.count ? '\n' : ''}`);
    else if (Date.now() - this.#told > 60_000) {
      this.#told = Date.now();
      process.stderr.write(`${line}\n`);
    }
  }
}

const args = process.argv.slice(2);
const named = args.indexOf('--build');
const build = path.resolve(top, named === -1 ? 'build/release' : args.splice(named, 2)[1]);
const directory = path.join(build, 'clang_tidy');
fs.mkdirSync(directory, { recursive: true });

const common = commonKey();
const passed = new Passed(path.join(directory, 'passed.json'));
const entries = readCompileCommands(build).map((entry) => ({ ...entry, key: keyOf(entry, common) }));
fs.writeFileSync(path.join(directory, 'compile_commands.json'), JSON.stringify(entries.map(({ directory, file, arguments: words }) => ({ directory, file, arguments: words }))));

const waiting = entries.filter((entry) => (args.length === 0 || args.some((part) => entry.path.includes(part))) && !passed.has(entry));
if (waiting.length > 0) {
  const loaded = plugin(directory);
  const progress = new Progress(waiting.length);
  const worker = async () => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      const found = await findings(entry, directory, loaded);
      if (found === '') passed.add(entry);
      else print(found);
      progress.next();
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
}
process.exitCode = printed.size > 0 ? 1 : 0;
