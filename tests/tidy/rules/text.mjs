// What any text of the project looks like.

const everywhere = /./;

function lines(name, applies, pattern, what, instead, rest) {
  return {
    name,
    *check(source) {
      if (!applies.test(source.path)) return;
      for (const [index, line] of source.text.split('\n').entries()) if (pattern.test(line)) yield { line: index + 1, what, instead };
    },
    ...rest,
  };
}

const unfinished = lines('nothing is left for later', everywhere, /\b(?:FIXME|TODO|XXX)\b/, 'a note to oneself', 'the change itself, or an issue', {
  bad: [
    ['gateway/serve/worker.cpp', '// TODO: later\n'],
    ['README.md', 'FIXME\n'],
  ],
  good: [['tests/storage/fixture.cpp', 'std::string name = "sallyport-XXXXXX";\n']],
});

const machines = lines(
  'no paths of one machine',
  /./,
  /(?<![\w.:/~*{}-])\/(?:workspace|root|home|Users)\/[\w.-]/,
  'a path of one machine',
  'a path from the top of the project, or an argument',
  {
    bad: [
      ['tests/storage/fixture.cpp', 'open("/home/ada/sallyport");\n'],
      ['deploy/test', 'cd /root/sallyport\n'],
    ],
    good: [
      ['tests/gateway/config/url_test.cpp', 'url("https://example.com/home/ada");\n'],
      ['deploy/test', 'cd "${top}"\n'],
    ],
  },
);

const temporary = {
  name: 'temporary files lie where the environment says',
  allowed: {
    'storage/private_cluster.cpp': "a socket's path has at most 107 bytes, and PostgreSQL's user must be able to get there",
    'tests/storage/private_cluster_test.cpp': 'looks for what storage/private_cluster.cpp puts there',
    'tests/storage/fixture.cpp': "PostgreSQL's user must be able to get there, which a private TMPDIR forbids",
  },
  *check(source) {
    if (source.isCpp)
      for (const { line } of source.matches(/"\/(?:var\/)?tmp\b/g, source.uncommented))
        yield { line, what: '/tmp', instead: 'std::filesystem::temp_directory_path()' };
  },
  bad: [['gateway/audit/journal.cpp', 'open("/tmp/journal");\n']],
  good: [['gateway/audit/journal.cpp', '// not in /tmp\nopen(data / "tmp/journal");\n']],
};

const LONGEST = 600;

const length = {
  name: 'files have one idea',
  ownToo: true,
  *check(source) {
    const count = source.text.split('\n').length - 1;
    if (/\.([ch]pp|mjs|tsx?|css|cmake)$/.test(source.path) && count > LONGEST)
      yield { line: LONGEST + 1, what: `a file of ${count} lines`, instead: `several of one idea each, at most ${LONGEST} lines` };
  },
  bad: [['gateway/serve/worker.cpp', 'int x;\n'.repeat(LONGEST + 1)]],
  good: [
    ['gateway/serve/worker.cpp', 'int x;\n'.repeat(LONGEST)],
    ['web/package-lock.json', '{}\n'.repeat(LONGEST + 1)],
  ],
};

const lineEnds = {
  name: 'lines end with a line feed',
  ownToo: true,
  *check(source) {
    if (source.text !== '' && !source.text.endsWith('\n'))
      yield { line: source.lineOf(source.text.length), what: 'a last line without an end', instead: 'a line feed' };
    if (source.text.endsWith('\n\n')) yield { line: source.lineOf(source.text.length), what: 'an empty line at the end', instead: 'none' };
    for (const { line } of source.matches(/\r/g, source.text)) yield { line, what: 'a carriage return', instead: 'a line feed alone' };
  },
  bad: [
    ['gateway/serve/worker.cpp', 'int x;'],
    ['gateway/serve/worker.cpp', 'int x;\r\n'],
    ['web/src/main.tsx', 'x();\n\n'],
  ],
  good: [
    ['gateway/serve/worker.cpp', 'int x;\n'],
    ['gateway/serve/worker.cpp', ''],
  ],
};

// Go's own formatter writes them.
const tabs = lines('no tabs', /(?<!\.go)$/, /\t/, 'a tab', 'spaces, or \\t in a string', {
  ownToo: true,
  bad: [['gateway/serve/worker.cpp', '\tint x;\n']],
  good: [
    ['gateway/serve/worker.cpp', 'line += "\\t";\n'],
    ['tests/system/sumdb/check.go', '\tos.Exit(1)\n'],
  ],
});

const trailing = lines('no blanks at the end of a line', everywhere, /[ \t]$/, 'a blank at the end of a line', 'none', {
  ownToo: true,
  bad: [['README.md', 'Sallyport \n']],
  good: [['README.md', 'Sallyport\n']],
});

export default [unfinished, machines, temporary, length, lineEnds, tabs, trailing];
