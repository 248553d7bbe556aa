// What code may not call, or only where it says why.

// The text from an opening bracket to the one that closes it.
function bracketed(code, opening) {
  const closers = { '(': ')', '{': '}', '[': ']' };
  const expected = [];
  for (let at = opening; at < code.length; ++at) {
    if (closers[code[at]]) expected.push(closers[code[at]]);
    else if (code[at] === expected.at(-1) && (expected.pop(), expected.length === 0)) return code.slice(opening, at + 1);
  }
  return code.slice(opening);
}

function* banned(source, pattern, instead, text = source.code) {
  for (const { match, line } of source.matches(pattern, text)) yield { line, what: match[0].trim().replace(/\s*\($/, ''), instead };
}

const spawning = {
  name: 'every coroutine has an owner',
  allowed: {
    'gateway/http/async.cpp': 'is the task_group',
    'gateway/http/listener.cpp': 'counts its connections itself, intrusively: one allocation less for each',
    'gateway/http/block_on.hpp': 'the caller waits for the end in the same frame',
    'gateway/forward/resolver.cpp': 'getaddrinfo cannot be interrupted; its thread holds nothing but what it shares',
    'tests/gateway/http/loopback.hpp': 'the caller waits for the end in the same frame',
    'tests/gateway/http/server_life_test.cpp': 'the fixture waits for the end before it goes',
    'tests/storage/database_test.cpp': 'waits for the future; storage is below task_group',
    'tests/storage/group_commit_test.cpp': 'waits for the future; storage is below task_group',
  },
  *check(source) {
    if (!source.isCpp) return;
    const code = source.code.replace(/^[ \t]*#.*$/gm, (line) => ' '.repeat(line.length));
    yield* banned(source, /\b(?:asio::)?co_spawn\b/g, 'task_group', code);
    yield* banned(source, /\b(?:asio::)?detached\b/g, 'task_group', code);
    yield* banned(source, /\.\s*detach\s*\(/g, 'a thread that is joined', code);
  },
  bad: [
    ['gateway/serve/worker.cpp', 'asio::co_spawn(executor, run(), asio::detached);\n'],
    ['gateway/serve/worker.cpp', 'task.async_start(boost::asio::detached);\n'],
    ['gateway/serve/worker.cpp', 'std::thread(work).detach();\n'],
  ],
  good: [
    ['gateway/serve/worker.cpp', '#include <boost/asio/co_spawn.hpp>\ngroup.spawn(run());  // not co_spawn, not detached\n'],
    ['gateway/serve/worker.cpp', 'log("detached");\nvoid detach_from(core&);\n'],
  ],
};

const clocks = {
  name: 'the database tells the time',
  allowed: {
    'gateway/http/core.cpp': 'the Date of an answer',
    'gateway/log/log.cpp': 'when a line was logged, also when there is no database',
    'gateway/serve/serve_call.cpp': 'an allowed call sees no database; expiry and `now` of its rules are by the local clock',
    'gateway/command_line/context.cpp': 'commands without a gateway: an assertion, a trial of a policy',
  },
  *check(source) {
    if (source.isCpp)
      yield* banned(
        source,
        /\b(?:system|utc|tai|gps|high_resolution)_clock::now\b|\bCLOCK_REALTIME\b|\bgettimeofday\s*\(|(?<![\w.:>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0)\s*\)/g,
        "the database's clock, read with the row, or an argument",
      );
  },
  bad: [
    ['gateway/release/releaser.cpp', 'auto now = std::chrono::system_clock::now();\n'],
    ['gateway/release/releaser.cpp', 'auto now = std::time(nullptr);\n'],
    ['tests/workflows/hold_test.cpp', 'auto now = std::chrono::high_resolution_clock::now();\n'],
  ],
  good: [
    ['gateway/release/releaser.cpp', 'auto until = std::chrono::steady_clock::now() + 1s;\n'],
    ['gateway/release/releaser.cpp', 'using time_point = std::chrono::system_clock::time_point;\nheld.time(0);\n'],
  ],
};

const columns = {
  name: 'statements name their columns',
  *check(source) {
    if (source.isCpp || source.isScript || /\.(sql|lua)$/.test(source.path))
      yield* banned(source, /\b(?:SELECT|RETURNING)\s+(?:DISTINCT\s+)?(?:\w+\.)?\*/gi, 'the names of the columns', source.uncommented);
  },
  bad: [
    ['storage/hold_store.cpp', 'constexpr statement s{"s", "SELECT * FROM holds"};\n'],
    ['storage/hold_store.cpp', 'constexpr statement s{"s", R"(\n  UPDATE holds SET status = $1 RETURNING h.*)"};\n'],
  ],
  good: [
    ['storage/hold_store.cpp', '// SELECT * would do\nconstexpr statement s{"s", "SELECT count(*) FROM holds"};\n'],
    ['storage/hold_store.cpp', 'constexpr statement s{"s", "SELECT id FROM holds"};\n'],
  ],
};

const captures = {
  name: 'what is spawned takes values',
  *check(source) {
    if (!source.isCpp) return;
    // A test joins its threads in the frame that they refer to.
    const spawners = source.isTest
      ? /\b(?:spawn|co_spawn)\s*\(/g
      : /\b(?:spawn|co_spawn|post|dispatch|defer|async)\s*\(|\bstd::j?thread\b(?:\s+\w+)?\s*[({]/g;
    const byReference = [...source.code.matchAll(/\bauto\s+(\w+)\s*=\s*\[\s*&\s*[\],]/g)].map((found) => found[1]);
    for (const { match, line } of source.matches(spawners)) {
      const given = bracketed(source.code, match.index + match[0].length - 1);
      const named = byReference.find((name) => new RegExp(`(?<![.\\w>])${name}\\b`).test(given));
      if (/\[\s*[&=]\s*[\],]/.test(given)) yield { line, what: 'a default capture in what is spawned', instead: 'the values that it needs' };
      else if (named) yield { line, what: `[&] of ${named}, which is spawned`, instead: 'the values that it needs' };
    }
    // What such a lambda captured is gone when its coroutine goes on after the first suspension.
    for (const { match, line } of source.matches(/\[[^[\]]+\]\s*\([^()]*\)[^;{}]*->[^;{}]*\bawaitable<[^;{}]*\{/g)) {
      const end = match.index + match[0].length - 1 + bracketed(source.code, match.index + match[0].length - 1).length;
      if (/^\s*\(/.test(source.code.slice(end))) yield { line, what: 'a coroutine that captures and is called at once', instead: 'parameters, or a name for the lambda' };
    }
  },
  allowed: {},
  bad: [
    ['gateway/serve/worker.cpp', 'group.spawn([&]() -> awaitable<void> { co_await x(); }());\n'],
    ['gateway/serve/worker.cpp', 'core.post(\n    [=, &x] { x(); });\n'],
    ['gateway/serve/worker.cpp', 'thread_ = std::thread([&] { run(); });\n'],
    ['tests/gateway/serve/worker_test.cpp', 'auto one = [&]() -> awaitable<void> { co_return; };\ngroup.spawn(one());\n'],
    ['gateway/serve/worker.cpp', 'group.spawn([this]() -> http::awaitable<void> { co_await x(); }());\n'],
  ],
  good: [
    ['gateway/serve/worker.cpp', 'group.spawn([](core& c) -> http::awaitable<void> { co_await c.x(); }(core));\n'],
    ['gateway/serve/worker.cpp', 'auto one = [this]() -> http::awaitable<void> { co_await x(); };\nco_await one();\n'],
    ['gateway/serve/worker.cpp', 'core.post([this, &first] { first.go(); });\n'],
    ['gateway/serve/worker.cpp', 'std::sort(a.begin(), a.end(), [&](int x, int y) { return w[x] < w[y]; });\n'],
    ['tests/gateway/serve/worker_test.cpp', 'std::thread sender([&] { send(); });\n'],
  ],
};

const output = {
  name: 'output goes through the log or the command line',
  allowed: {
    'gateway/http/async.cpp': 'the last words of a broken invariant',
    'tests/fuzz/fuzz.hpp': 'the last words of a fuzz target, which has no log',
    'tests/notifiers/probe/slack_probe.cpp': 'answers the test that drives it, by the standard output',
    'tests/storage/private_cluster_test.cpp': 'a child process tells its parent, by the standard output',
    'tests/judges/deliver_mail.cpp': 'tells the test that runs it, by the standard output',
  },
  *check(source) {
    if (!source.isCpp || /^(tests\/)?gateway\/(command_line|log)\//.test(source.path)) return;
    yield* banned(source, /\bstd::(?:cout|cerr|clog)\b|(?<![\w.>])(?:std::|::)?(?:v?f?printf|puts|fputs|putchar|perror)\s*\(/g, 'the log, or gateway/command_line');
  },
  bad: [
    ['gateway/serve/worker.cpp', 'std::cerr << "late";\n'],
    ['storage/process.cpp', 'std::fprintf(stderr, "late");\n'],
    ['storage/process.cpp', 'printf("late");\n'],
  ],
  good: [
    ['gateway/log/log.cpp', 'std::cerr << line;\n'],
    ['gateway/command_line/run.cpp', 'std::cout << line;\n'],
    ['storage/process.cpp', 'std::snprintf(a, sizeof a, "%d", n);\nwriter.puts(x);\n'],
  ],
};

const reentrant = {
  name: 'what threads share is safe for them',
  allowed: {},
  *check(source) {
    const unsafe = /(?<![\w.>:])(?:std::|::)?(?:localtime|gmtime|asctime|ctime|getpwnam|getpwuid|getgrnam|getgrgid|gethostbyname|strtok|s?rand|setenv|unsetenv|putenv|tmpnam|mktemp|system)\s*\(/g;
    if (source.isCpp && !source.isTest) yield* banned(source, unsafe, 'its form for threads (…_r), or what replaced it');
  },
  bad: [
    ['storage/process.cpp', 'const auto* user = ::getpwnam("postgres");\n'],
    ['gateway/log/log.cpp', 'std::localtime(&now);\n'],
  ],
  good: [
    ['storage/process.cpp', '::getpwnam_r("postgres", &user, buffer, size, &found);\n'],
    ['gateway/http/core.cpp', 'gmtime_r(&now, &parts);\nboost::asio::system(x);\n'],
  ],
};

const sleeping = {
  name: 'nothing sleeps for a time',
  *check(source) {
    if (source.isCpp) yield* banned(source, /\bsleep_(?:for|until)\b|(?<![\w.>])(?:::)?(?:usleep|nanosleep|sleep)\s*\(/g, 'a signal to wait on, with a deadline');
  },
  allowed: {},
  bad: [
    ['tests/storage/listener_test.cpp', 'std::this_thread::sleep_for(100ms);\n'],
    ['storage/process.cpp', '::usleep(100);\n'],
  ],
  good: [
    ['tests/storage/database_test.cpp', 'ran("SELECT pg_sleep($1)");\nchanged.wait_for(lock, 1s);\n'],
    ['storage/process.cpp', 'other.sleep(1s);\n'],
  ],
};

export default [spawning, clocks, columns, captures, output, reentrant, sleeping];
