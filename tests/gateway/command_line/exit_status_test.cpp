#include "gateway/command_line/run.hpp"

#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace sallyport::command_line {
namespace {

struct ended {
    int status = 0;
    std::string out, err;
};

// One command in this process, with what it wrote.
ended command(std::vector<std::string> words, const std::string& input = {})
{
    words.insert(words.begin(), "sallyport");
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    std::ostringstream out, err;
    std::istringstream in(input);
    auto* const real_out = std::cout.rdbuf(out.rdbuf());
    auto* const real_err = std::cerr.rdbuf(err.rdbuf());
    auto* const real_in = std::cin.rdbuf(in.rdbuf());
    ended e;
    e.status = run(static_cast<int>(arguments.size()), arguments.data());
    std::cout.rdbuf(real_out);
    std::cerr.rdbuf(real_err);
    std::cin.rdbuf(real_in);
    e.out = out.str();
    e.err = err.str();
    return e;
}

constexpr std::string_view right = R"(
routes: [ { id: pay, prefix: /pay, upstream: http://127.0.0.1:9 } ]
policies: [ { id: reads, route: pay, when: request.method == "GET", verdict: allow } ]
)";

TEST_CASE("wrong usage is 2, one line, and nothing on standard output")
{
    const std::vector<std::string> rows[] = {
        {},
        {"no-such-command"},
        {"--no-such-option"},
        {"serve", "surplus"},
        {"check", "--no-such-option"},
        {"agent"},
        {"agent", "add"},
        {"agent", "add", "a", "--class", "digital-worker"},
        {"agent", "no-such-act", "a"},
        {"person", "invite"},
        {"policy"},
        {"policy", "eval"},
        {"policy", "eval", "1", "--batch"},
        {"policy", "explain"},
        {"token"},
        {"token", "--agent", "a"},
        {"hold", "show"},
        {"credential", "put"},
        {"audit", "export"},
        {"workflow"},
        {"workflow", "simulate"},
        {"workflow", "simulate", "w", "--at", "noon"},
        {"workflow", "simulate", "w", "--agent", "a", "--owner", "ada"},
    };
    for (auto row : rows) {
        std::string words;
        for (const auto& word : row) words += word + ' ';
        CAPTURE(words);
        const auto e = command(std::move(row));
        CHECK(e.status == 2);
        CHECK(e.out.empty());
        CHECK(e.err.find('\n') == e.err.size() - 1);
    }
}

TEST_CASE("help and version are 0, on standard output, for every command")
{
    const std::vector<std::string> rows[] = {
        {"--help"},
        {"--version"},
        {"serve", "--help"},
        {"check", "--help"},
        {"policy", "eval", "--help"},
        {"agent", "--help"},
        {"person", "--help"},
        {"token", "--help"},
        {"hold", "--help"},
        {"credential", "put", "--help"},
        {"audit", "--help"},
        {"workflow", "simulate", "--help"},
    };
    for (auto row : rows) {
        CAPTURE(row.front());
        const auto e = command(std::move(row));
        CHECK(e.status == 0);
        CHECK(!e.out.empty());
        CHECK(e.err.empty());
    }
}

TEST_CASE("check and the policy's commands: 0 and 1 as the answer is")
{
    const config::testing::directory good{{"main.yaml", right}};
    const config::testing::directory bad{{"main.yaml", "routes: [ { id: pay } ]\n"}};
    good.write("right.test.yaml", "tests: [ { name: reads, request: { path: /pay/x }, expect: { verdict: allow, rules: [reads] } } ]\n");
    const std::string data = (good.path() / "none").string();
    const auto with = [&](const config::testing::directory& dir, std::vector<std::string> words) {
        words.insert(words.end(), {"--config", dir.path().string(), "--data", data});
        return command(std::move(words));
    };
    const auto checked = with(good, {"check"});
    CHECK(checked.status == 0);
    CHECK(checked.out.find("Policy ") != std::string::npos);

    const auto wrong = with(bad, {"check"});
    CHECK(wrong.status == 1);
    CHECK(wrong.out.empty());
    CHECK(wrong.err.find("main.yaml:1:11: ") != std::string::npos);
    CHECK(with(bad, {"check", "--json"}).status == 1);
    CHECK(with(bad, {"serve"}).status == 1);

    const auto tested = with(good, {"policy", "test"});
    CHECK(tested.status == 0);
    CHECK(tested.out == "1 passed, 0 failed\n");
    good.write("wrong.test.yaml", "tests: [ { name: writes, request: { method: POST, path: /pay/x }, expect: { verdict: hold } } ]\n");
    const auto failed = with(good, {"policy", "test"});
    CHECK(failed.status == 1);
    CHECK(failed.out == "1 passed, 1 failed\n");
    CHECK(failed.err.find("wrong.test.yaml:1:1: writes: expected hold, saw deny") != std::string::npos);

    CHECK(command({"policy", "eval", "1 + 1"}).out == "2\n");
    CHECK(command({"policy", "eval", "1 / 0"}).status == 1);
    CHECK(command({"policy", "eval", "1 +"}).status == 1);
    const auto batch = command({"policy", "eval", "--batch"}, "{\"expr\": \"1 + 1\"}\n{\"expr\": \"nope\"}\n");
    CHECK(batch.status == 0);
    CHECK(batch.out.find("int64Value") != std::string::npos);
    CHECK(batch.out.find("check_error") != std::string::npos);
    CHECK(command({"policy", "explain", "--request", "/no/such/file", "--config", good.path().string()}).status == 1);
}

TEST_CASE("a workflow that is not there is 1, and says which are")
{
    const config::testing::directory some{{"main.yaml", right},
                                          {"w.yaml", "workflows: { default: { steps: [ { notify: [owner], for: 1m } ] }, "
                                                     "finance: { steps: [ { notify: [owner], for: 1m } ] } }\n"}};
    const config::testing::directory none{{"main.yaml", right}};
    const config::testing::directory bad{{"main.yaml", "workflows: []\n"}};
    struct row {
        const config::testing::directory* config;
        const char* workflow;
        int status;
        const char* says;
    };
    const row rows[] = {
        {&some, "fnance", 1, "There is no workflow fnance; there are: default, finance."},
        {&none, "finance", 1, "There is no workflow finance; the configuration has none."},
        {&bad, "finance", 1, "main.yaml:1:12: "},
        {&some, "finance", 3, "No gateway answers at "},
    };
    for (const row& r : rows) {
        CAPTURE(r.says);
        const auto e = command(
            {"workflow", "simulate", r.workflow, "--config", r.config->path().string(), "--data", (r.config->path() / "none").string()});
        CHECK(e.status == r.status);
        CHECK(e.out.empty());
        CHECK(e.err.find(r.says) != std::string::npos);
    }
}

TEST_CASE("where no gateway answers it is 3, and says so")
{
    const config::testing::directory dir{{"main.yaml", right}};
    const std::vector<std::string> rows[] = {{"agent", "list"},      {"person", "list"}, {"hold", "list"},
                                             {"credential", "list"}, {"audit", "show"},  {"agent", "suspend", "a"}};
    for (auto row : rows) {
        CAPTURE(row.front());
        row.insert(row.end(), {"--config", dir.path().string(), "--data", (dir.path() / "none").string()});
        const auto e = command(std::move(row));
        CHECK(e.status == 3);
        CHECK(e.out.empty());
        CHECK(e.err.find("No gateway answers at ") != std::string::npos);
    }
}

}  // namespace
}  // namespace sallyport::command_line
