// Remarks that were made twice in review, as a program: each rule names what it bans and what to use. First every rule is
// tried on its own examples, then on all files of the project. What is found is printed, one line each, and ends with 1.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Floors } from './floors.mjs';
import calls from './rules/calls.mjs';
import includes from './rules/includes.mjs';
import problems, { problemNames } from './rules/problems.mjs';
import text from './rules/text.mjs';
import { Source } from './source.mjs';

const RULES = [...includes, ...calls, ...text, ...problems];
const BINARY = /\.(png|ico|woff2)$/;

// The rules' own files are full of what they ban: only rules with `ownToo` look there.
const looksAt = (rule, file) => rule.ownToo || !file.startsWith('tests/tidy/');

const EXAMPLES = {
  floors: new Floors(`
    add_floor(workflows DEPENDS boost_headers)
    add_floor(storage DEPENDS workflows asio pqxx)
    add_floor(notifiers DEPENDS workflows boost_json)
    add_floor(gateway/http DEPENDS workflows asio)
    add_floor(gateway/serve DEPENDS gateway/http storage)
    target_link_libraries(sallyport PRIVATE floor_gateway_serve sallyport_options)`),
  problems: problemNames('{problem::no_hold, {"no-hold", 404, "There is no such hold.", retry::no}},'),
  exists: (file) => ['workflows/hold.hpp', 'workflows/ids.hpp', 'storage/process.hpp'].includes(file),
};

function* wrongExamples() {
  for (const rule of RULES) {
    const found = ([file, content]) => [...rule.check(new Source(file, content), EXAMPLES)];
    for (const example of rule.bad)
      if (found(example).length === 0) yield `"${rule.name}" does not see what is wrong in ${JSON.stringify(example)}`;
    for (const example of rule.good)
      for (const { what } of found(example)) yield `"${rule.name}" sees ${what} in ${JSON.stringify(example)}`;
  }
}

function readProject(top) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: top, encoding: 'utf8' });
  const files = listed.split('\0').filter((file) => file && !BINARY.test(file) && fs.statSync(path.join(top, file), { throwIfNoEntry: false })?.isFile());
  const read = (file) => fs.readFileSync(path.join(top, file), 'utf8');
  const facts = {
    floors: new Floors(read('CMakeLists.txt')),
    problems: problemNames(read('workflows/problem.cpp')),
    exists: (file) => fs.existsSync(path.join(top, file)),
  };
  return { facts, sources: files.map((file) => new Source(file, read(file))) };
}

function* remarks({ facts, sources }) {
  for (const rule of RULES) {
    const unused = new Set(Object.keys(rule.allowed ?? {}));
    for (const source of sources) {
      if (!looksAt(rule, source.path)) continue;
      const found = [...rule.check(source, facts)];
      if (found.length > 0 && rule.allowed?.[source.path]) unused.delete(source.path);
      else for (const { line, what, instead } of found) yield `${source.path}:${line}: ${what} is banned, use ${instead}`;
    }
    for (const file of unused) yield `${file}:1: the rule "${rule.name}" allows what is no longer there; take that out of tests/tidy/rules`;
  }
}

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
let wrong = [...wrongExamples()];
if (wrong.length === 0) wrong = [...remarks(readProject(top))];
if (wrong.length > 0) console.log(wrong.join('\n'));
process.exitCode = wrong.length > 0 ? 1 : 0;
