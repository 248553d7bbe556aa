// Names of problems, wherever they are written as text, are those of workflows/problem.cpp.

// The names in that table: {problem::no_hold, {"no-hold", 404, …}}.
export function problemNames(table) {
  return new Set([...table.matchAll(/\{problem::\w+, \{"([a-z-]+)", \d{3},/g)].map((found) => found[1]));
}

const names = {
  name: 'problems are those of the table',
  *check(source, { problems }) {
    const unknown = (name) => !problems.has(name) && { what: `the problem "${name}"`, instead: 'one of workflows/problem.cpp' };
    const patterns = [/urn:sallyport:problem:([a-z][a-z-]*)/g];
    if (source.isScript) patterns.push(/\.problem\s*[!=]==?\s*'([^']+)'/g, /\bproblem:\s*'([a-z-]+)'/g, /\bnew Problem\(\d+,\s*'([^']+)'/g);
    if (source.isCpp) patterns.push(/\bproblem_named\("([^"]*)"\)/g);
    for (const pattern of patterns)
      for (const { match, line } of source.matches(pattern, source.uncommented)) if (unknown(match[1])) yield { line, ...unknown(match[1]) };
    if (!source.isScript) return;
    for (const block of source.text.matchAll(/^( *)switch \([\w.]*\.problem\) \{\n([^]*?)^\1\}/gm))
      for (const found of block[2].matchAll(/\bcase '([^']+)':/g))
        if (unknown(found[1])) yield { line: source.lineOf(block.index + block[0].indexOf(block[2]) + found.index), ...unknown(found[1]) };
  },
  // A test asks for what does not exist.
  allowed: {},
  bad: [
    ['web/src/session.ts', "  switch (error.problem) {\n    case 'no-hold':\n      return 1;\n    case 'holdclosed':\n      return 2;\n  }\n"],
    ['web/src/session.ts', "if (error.problem === 'gone') return;\n"],
    ['tests/system/main_job.mjs', "equal(answer.type, 'urn:sallyport:problem:gone');\n"],
    ['gateway/serve/answers.cpp', 'auto type = "urn:sallyport:problem:gone";\n'],
  ],
  good: [
    ['web/src/session.ts', "  switch (error.problem) {\n    case 'no-hold':\n      return 1;\n  }\n  switch (x.kind) {\n    case 'gone':\n  }\n"],
    ['gateway/serve/answers.cpp', 'auto type = "urn:sallyport:problem:" + name;\n'],
    ['tests/system/main_job.mjs', "equal(answer.type, 'urn:sallyport:problem:no-hold');\n"],
  ],
};

export default [names];
