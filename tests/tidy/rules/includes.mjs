// What a file includes, and in which order (ARCHITECTURE.md, "Floors").
import { libraryOf } from '../floors.mjs';

const OF_TESTS = ['doctest', 'httplib']; // the second for stand-in servers

const upward = {
  name: 'includes look down',
  *check(source, { floors }) {
    const floor = source.isCpp && floors.of(source.path);
    if (!floor) return;
    const below = floors.below(floor);
    for (const { name, own, line } of source.includes) {
      if (!own) {
        const library = libraryOf(name);
        if (library && !below.has(library) && !(source.isTest && OF_TESTS.includes(library)))
          yield { line, what: `<${name}> in ${floor}`, instead: `a floor whose DEPENDS name ${library}` };
        continue;
      }
      if (name.startsWith('tests/') && !source.isTest) yield { line, what: `"${name}"`, instead: 'nothing of the tests' };
      const target = floors.of(name);
      if (target && !below.has(target))
        yield { line, what: `"${name}" in ${floor}`, instead: 'what the floor DEPENDS on in CMakeLists.txt, or move one of the two' };
    }
  },
  bad: [
    ['workflows/hold.cpp', '#include "storage/hold_store.hpp"\n'],
    ['storage/sql.cpp', '#include "notifiers/slack.hpp"\n'],
    ['gateway/http/core.cpp', '#include <boost/json/array.hpp>\n'],
    ['gateway/http/core.cpp', '#include "gateway/serve/worker.hpp"\n'],
    ['gateway/serve/worker.cpp', '#include "tests/gateway/http/loopback.hpp"\n'],
    ['tests/workflows/hold_test.cpp', '#include "tests/storage/fixture.hpp"\n'],
    ['gateway/main.cpp', '#include "notifiers/slack.hpp"\n'],
  ],
  good: [
    ['workflows/hold.cpp', '#include "workflows/hold.hpp"\n#include <boost/system/result.hpp>\n#include <vector>\n'],
    ['gateway/serve/worker.cpp', '#include "gateway/http/core.hpp"\n#include "workflows/hold.hpp"\n#include <boost/asio/post.hpp>\n'],
    ['tests/storage/hold_test.cpp', '#include "storage/hold_store.hpp"\n#include "tests/workflows/cast.hpp"\n#include <doctest/doctest.h>\n'],
    ['gateway/main.cpp', '#include "gateway/serve/worker.hpp"\n'],
    ['workflows/hold.cpp', '// #include "storage/hold_store.hpp"\n'],
  ],
};

const rooted = {
  name: 'includes are by path from the top',
  *check(source, { exists }) {
    if (!source.isCpp) return;
    for (const { name, own, line } of source.includes)
      if (own && !exists(name)) yield { line, what: `"${name}"`, instead: 'the path from the top of the project' };
  },
  bad: [
    ['tests/storage/hold_test.cpp', '#include "fixture.hpp"\n'],
    ['workflows/hold.cpp', '#include "../storage/sql.hpp"\n'],
  ],
  good: [['workflows/hold.cpp', '#include "workflows/hold.hpp"\n#include <vector>\n']],
};

// The folders of libraries that make every file that sees them slow to compile.
const HEAVY = {
  beast: { pattern: /^boost\/beast(\/|\.hpp)/, folders: ['gateway/http/'] },
  pqxx: { pattern: /^pqxx(\/|$)/, folders: ['storage/'] },
  'yaml-cpp': { pattern: /^yaml-cpp\//, folders: ['gateway/config/'] },
  libfido2: { pattern: /^(fido\.h|fido\/.*|cbor\.h)$/, folders: ['gateway/people/', 'gateway/audit/'] },
  CLI11: { pattern: /^CLI\//, folders: ['gateway/command_line/'] },
  spdlog: { pattern: /^spdlog\//, folders: ['gateway/log/'] },
  RE2: { pattern: /^re2\//, folders: ['gateway/policy/cel/'] },
};

const heavy = {
  name: 'heavy libraries stay in their folder',
  *check(source) {
    if (!source.isCpp || source.path.startsWith('deploy/')) return;
    const place = source.path.replace(/^tests\//, '');
    for (const { name, line } of source.includes)
      for (const [library, { pattern, folders }] of Object.entries(HEAVY))
        if (pattern.test(name) && !folders.some((folder) => place.startsWith(folder)))
          yield { line, what: `${library} outside ${folders.join(' and ')}`, instead: 'what that folder makes of it' };
  },
  bad: [
    ['gateway/serve/worker.cpp', '#include <boost/beast/http/status.hpp>\n'],
    ['gateway/identity/form.hpp', '#include <pqxx/pqxx>\n'],
    ['gateway/policy/policy.cpp', '#include <yaml-cpp/yaml.h>\n'],
    ['gateway/jose/key.cpp', '#include <fido/es256.h>\n'],
    ['gateway/serve/worker.cpp', '#include <CLI/CLI.hpp>\n'],
  ],
  good: [
    ['gateway/http/head.cpp', '#include <boost/beast/http/basic_parser.hpp>\n'],
    ['tests/storage/database_test.cpp', '#include <pqxx/pqxx>\n'],
    ['gateway/people/webauthn.cpp', '#include <fido.h>\n'],
  ],
};

const pure = {
  name: 'workflows are pure',
  *check(source) {
    if (!source.isCpp || !source.path.startsWith('workflows/')) return;
    const impure = /^(thread|mutex|shared_mutex|condition_variable|future|atomic|random|fstream|iostream|filesystem|ctime|[^/]+\.h|sys\/.*)$/;
    for (const { name, own, line } of source.includes)
      if (!own && impure.test(name)) yield { line, what: `<${name}> in workflows`, instead: 'an argument: no I/O, no clock, no threads there' };
  },
  bad: [
    ['workflows/ids.cpp', '#include <random>\n'],
    ['workflows/time.cpp', '#include <unistd.h>\n'],
  ],
  good: [
    ['workflows/time.cpp', '#include <chrono>\n#include "workflows/time.hpp"\n'],
    ['storage/process.cpp', '#include <unistd.h>\n'],
  ],
};

const ownFirst = {
  name: 'own header first',
  *check(source, { exists }) {
    if (!source.path.endsWith('.cpp')) return;
    const tested = source.path.replace(/^tests\//, '').replace(/(_test)?\.cpp$/, '.hpp');
    const own = [source.path.replace(/\.cpp$/, '.hpp'), tested].find(exists);
    const first = source.includes[0];
    if (own && first?.name !== own)
      yield { line: first?.line ?? 1, what: `an include before "${own}"`, instead: 'it as the first: the header stands alone' };
  },
  bad: [
    ['workflows/hold.cpp', '#include <vector>\n#include "workflows/hold.hpp"\n'],
    ['tests/workflows/hold_test.cpp', '#include <doctest/doctest.h>\n#include "workflows/hold.hpp"\n'],
  ],
  good: [
    ['workflows/hold.cpp', '// Why.\n#include "workflows/hold.hpp"\n\n#include <vector>\n'],
    ['tests/workflows/hold_test.cpp', '#include "workflows/hold.hpp"\n'],
    ['workflows/no_header_of_its_own.cpp', '#include <vector>\n'],
  ],
};

// From what is most likely to miss an include of its own to what never does.
const order = {
  name: 'includes in order',
  *check(source) {
    if (!source.isCpp) return;
    const rank = ({ name, own }) => (own ? 0 : libraryOf(name) ? 1 : 2);
    const code = source.matches(/^[ \t]*[^#\s].*$/gm).next().value?.line ?? Infinity;
    const includes = source.includes.filter(({ line }) => line < code);
    for (let i = 1; i < includes.length; ++i)
      if (rank(includes[i]) < rank(includes[i - 1]))
        yield {
          line: includes[i].line,
          what: `${includes[i].name} after ${includes[i - 1].name}`,
          instead: 'the order own header, project, libraries, system and standard library',
        };
  },
  bad: [
    ['workflows/hold.cpp', '#include "workflows/hold.hpp"\n#include <vector>\n#include <boost/json/array.hpp>\n'],
    ['workflows/hold.cpp', '#include <vector>\n#include "workflows/ids.hpp"\n'],
  ],
  good: [
    ['storage/process.cpp', '#include "storage/process.hpp"\n#include <boost/asio/post.hpp>\n#include <sys/stat.h>\n#include <string>\n'],
    ['storage/process.cpp', '#include <string>\nvoid f()\n{\n#include <pqxx/internal/ignore-deprecated-pre.hxx>\n}\n'],
  ],
};

const once = {
  name: 'headers are included once',
  *check(source) {
    if (source.isHeader && !/^#pragma once$/m.test(source.code)) yield { line: 1, what: 'a header without a guard', instead: '#pragma once' };
    if (source.isHeader)
      for (const { line } of source.matches(/^#ifndef \w+_(?:HPP|H|INCLUDED)\w*$/gm)) yield { line, what: 'an include guard', instead: '#pragma once' };
  },
  bad: [
    ['workflows/hold.hpp', 'struct hold {};\n'],
    ['workflows/hold.hpp', '#pragma once\n#ifndef WORKFLOWS_HOLD_HPP\n'],
  ],
  good: [['workflows/hold.hpp', '// A hold.\n#pragma once\n']],
};

export default [upward, rooted, heavy, pure, ownFirst, order, once];
