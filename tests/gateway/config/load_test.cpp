#include "gateway/config/load.hpp"

#include "gateway/config/report.hpp"
#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;
using testing::directory;
using testing::good;

std::string replaced(std::string_view text, std::string_view what, std::string_view with)
{
    std::string result(text);
    const auto at = result.find(what);
    REQUIRE(at != std::string::npos);
    return result.replace(at, what.size(), with);
}

std::string digest_of_files(std::initializer_list<std::pair<std::string_view, std::string_view>> files)
{
    const directory dir(files);
    const auto loaded = load(dir.path());
    REQUIRE_MESSAGE(loaded.config, text_report(loaded));
    return loaded.config->digest;
}

TEST_CASE("every key is read")
{
    const directory dir{{"main.yaml", good}};
    const auto loaded = load(dir.path());
    REQUIRE_MESSAGE(loaded.config, text_report(loaded));
    CHECK_MESSAGE(loaded.warnings.empty(), text_report(loaded));
    const auto& c = *loaded.config;
    CHECK(c.agents.text() == "127.0.0.1:18080");
    CHECK(c.people.text() == "[::1]:18081");
    CHECK(c.metrics.text() == "localhost:0");
    CHECK(c.public_url == "https://gate.example");
    CHECK(c.public_host == "gate.example");
    CHECK(c.agents_url == "http://127.0.0.1:18080");
    CHECK(c.database == "postgresql://gate@db.example:5433/sallyport?sslmode=verify-full");

    REQUIRE(c.routes.size() == 2);
    const auto& payments = c.routes[0];
    CHECK(payments.id == "payments");
    CHECK(payments.prefix == "/payments");
    CHECK(payments.host.empty());
    CHECK(payments.upstream == upstream{true, "api.payments.example", 8443, "api.payments.example:8443", "/base"});
    CHECK(payments.credential == "payments-key");
    CHECK(payments.wait_default == 10s);
    CHECK(payments.wait_max == 50s);
    CHECK(payments.timeout == 20s);
    CHECK(payments.body_limit == 64 * 1024);
    CHECK(payments.idempotent);
    CHECK(!payments.keep_encoded_slash);
    CHECK(payments.labels.at("pci") == "true");
    const auto& crm = c.routes[1];
    CHECK(crm.host == "crm.internal.example");
    CHECK(crm.upstream == upstream{false, "::1", 9000, "[::1]:9000", ""});
    CHECK(crm.wait_default == 25s);
    CHECK(crm.wait_max == 55s);
    CHECK(crm.timeout == 30s);
    CHECK(crm.body_limit == 1024 * 1024);
    CHECK(!crm.idempotent);
    CHECK(crm.keep_encoded_slash);
    CHECK(crm.keep_path_parameters);
    CHECK(crm.index == 1);
    CHECK(c.match_route("gate", "/payments/x").route == &payments);
    CHECK(c.match_route("crm.internal.example:80", "/x").route == &crm);

    const auto rules = c.rules.definitions();
    REQUIRE(rules.size() == 3);
    CHECK(rules[0].routes == std::vector<std::size_t>{0, 1});
    CHECK(rules[0].verdict == verdict_kind::allow);
    CHECK(rules[0].on_error == verdict_kind::hold);
    CHECK(rules[0].mode == policy::mode::enforce);
    CHECK(rules[1].id == "refunds-over-500");
    CHECK(rules[1].team == "finance");
    CHECK(rules[1].routes == std::vector<std::size_t>{0});
    CHECK(rules[1].verdict == verdict_kind::hold);
    CHECK(rules[1].on_error == verdict_kind::deny);
    CHECK(rules[1].workflow == "finance");
    CHECK(rules[1].summary == "Refund {body.amount} {body.currency}");
    CHECK(rules[2].mode == policy::mode::shadow);

    const auto& finance = c.workflows.at("finance");
    CHECK(finance.name == "finance");
    CHECK(finance.approvals == 2);
    CHECK(finance.assurance == assurance::session);
    CHECK(finance.not_ == std::vector<target>{{target::kind::owner, ""}});
    REQUIRE(finance.steps.size() == 2);
    CHECK(finance.steps[0].notify == std::vector<target>{{target::kind::owner, ""}, {target::kind::team, "finance"}});
    CHECK(finance.steps[0].via == std::vector<std::string>{"slack", "email"});
    CHECK(finance.steps[0].for_ == 10min);
    CHECK(finance.steps[1].notify == std::vector<target>{{target::kind::schedule, "finance-on-call"}, {target::kind::person, "ada"}});
    CHECK(finance.steps[1].via == std::vector<std::string>{"ops"});

    const auto& on_call = c.schedules.at("finance-on-call");
    CHECK(on_call.time_zone == "Europe/Berlin");
    CHECK(on_call.people == std::vector<std::string>{"ada", "grace"});
    CHECK(on_call.every == 7 * 24h);
    CHECK(on_call.from == std::chrono::local_days{std::chrono::year(2026) / 1 / 5} + 9h);
    REQUIRE(on_call.overrides.size() == 1);
    CHECK(on_call.overrides[0].person == "alan");
    CHECK(on_call.overrides[0].until == std::chrono::local_days{std::chrono::year(2026) / 2 / 3} + 30s);

    REQUIRE(c.notifiers.slack);
    CHECK(c.notifiers.slack->bot_token.env == "SLACK_BOT_TOKEN");
    CHECK(c.notifiers.slack->api_url == "http://127.0.0.1:9/api/");
    REQUIRE(c.notifiers.email);
    CHECK(c.notifiers.email->host == "mail.example");
    CHECK(c.notifiers.email->port == 2525);
    CHECK(!c.notifiers.email->tls);
    CHECK(c.notifiers.email->user == "gate");
    CHECK(c.notifiers.email->password->env == "SMTP_PASSWORD");
    REQUIRE(c.notifiers.webhooks.size() == 1);
    CHECK(c.notifiers.webhooks[0].url == "https://hooks.example/ops/");
    CHECK(c.notifiers.webhooks[0].secret.env == "OPS_SECRET");

    CHECK(c.limits.statement == 4min);
    CHECK(c.limits.session == 10h);
    CHECK(c.limits.enrolment == 20h);
    CHECK(c.limits.access_token == 10min);
    CHECK(c.limits.keep_response == 12h);
    CHECK(c.limits.release_window == 30s);
    CHECK(c.limits.response_bytes == 8 << 20);
    CHECK(c.limits.header_bytes == 32 << 10);
    CHECK(c.limits.connections == 100);
    CHECK(c.limits.holds == 200);
    CHECK(c.limits.holds_per_agent == 20);
    CHECK(c.digest.size() == 64);
}

TEST_CASE("defaults")
{
    const directory dir{
        {"a.yml", "listen: { people: 127.0.0.1:9001 }\nroutes: [ { id: x, prefix: /x, upstream: http://127.0.0.1:9, wait: { max: 5s } } ]\n"
                  "workflows: { w: { steps: [ { notify: owner, for: 1m } ] } }\n"}};
    const auto loaded = load(dir.path());
    REQUIRE_MESSAGE(loaded.config, text_report(loaded));
    const auto& c = *loaded.config;
    CHECK(c.agents.text() == "127.0.0.1:8080");
    CHECK(c.people.text() == "127.0.0.1:9001");
    CHECK(c.metrics.text() == "127.0.0.1:9464");
    CHECK(c.public_url == "http://localhost:9001");
    CHECK(c.public_host == "localhost");
    CHECK(c.agents_url == "http://127.0.0.1:8080");
    CHECK(c.database.empty());
    CHECK(!c.agents_tls);
    CHECK(c.routes.at(0).wait_default == 5s);
    CHECK(c.routes.at(0).wait_max == 5s);
    CHECK(c.workflows.at("w").approvals == 1);
    CHECK(c.workflows.at("w").assurance == assurance::passkey);
    CHECK(c.limits.statement == 5min);
    CHECK(c.limits.response_bytes == 16 << 20);
}

TEST_CASE("TLS and the database's password are files beside the one that names them")
{
    const directory dir{
        {"a.yaml",
         "tls: { agents: { certificate: cert.pem, key: /etc/no/such/key.pem }, people: { certificate: cert.pem, key: cert.pem } }\n"
         "database: { url: postgres://gate@db/sallyport, password: { file: ./db-password } }\n"},
        {"cert.pem", "x"},
        {"db-password", "x"}};
    const auto loaded = load(dir.path());
    REQUIRE_MESSAGE(loaded.config, text_report(loaded));
    CHECK(loaded.config->agents_tls->certificate == dir.path() / "cert.pem");
    CHECK(loaded.config->agents_tls->key == "/etc/no/such/key.pem");
    CHECK(loaded.config->database_password->file == dir.path() / "db-password");
    CHECK(loaded.config->agents_url == "https://127.0.0.1:8080");
    CHECK(loaded.config->public_url == "https://localhost:8081");
    REQUIRE(loaded.warnings.size() == 1);
    CHECK(loaded.warnings[0].message.find("/etc/no/such/key.pem") != std::string::npos);
}

struct mistake_row {
    std::string name;
    std::string text;
    std::size_t line, column;
    const char* message;
};

void check_rows(std::span<const mistake_row> rows, std::string_view beside)
{
    for (const auto& r : rows) {
        CAPTURE(r.name);
        const directory dir{{"team.yaml", r.text}};
        if (!beside.empty()) dir.write("main.yaml", beside);
        const auto loaded = load(dir.path());
        CHECK(!loaded.config);
        const auto report = text_report(loaded);
        CAPTURE(report);
        REQUIRE(loaded.errors.size() == 1);
        const auto& e = loaded.errors[0];
        CHECK(e.file == (dir.path() / "team.yaml").string());
        CHECK(e.line == r.line);
        CHECK(e.column == r.column);
        CHECK(e.message.find(r.message) != std::string::npos);
        CHECK(e.message.find("hunter2") == std::string::npos);
        CHECK(e.message.find('\n') == std::string::npos);
    }
}

TEST_CASE("each mistake is one error, at its place: routes")
{
    const auto route = [](std::string_view more) {
        return "routes:\n  - id: x\n    prefix: /x\n    upstream: http://127.0.0.1:9\n" + std::string(more);
    };
    const mistake_row rows[] = {
        {"routes are no map", "routes: {}\n", 1, 9, "must be a list"},
        {"routes are nothing", "routes:\n", 1, 1, "has no value"},
        {"a route is no text", "routes: [ x ]\n", 1, 11, "must be a map"},
        {"no id", "routes:\n  - prefix: /x\n    upstream: http://h\n", 2, 5, "needs `id`"},
        {"a bad id", "routes: [ { id: Pay ments, prefix: /x, upstream: http://h } ]\n", 1, 17, "must be a name"},
        {"an id twice", "routes: [ { id: payments, prefix: /x, upstream: http://h } ]\n", 1, 17, "already in"},
        {"no prefix and no host", "routes: [ { id: x, upstream: http://h } ]\n", 1, 11, "`prefix` or `host`"},
        {"prefix and host", "routes: [ { id: x, prefix: /x, host: h, upstream: http://h } ]\n", 1, 38, "not both"},
        {"a prefix without a slash", "routes: [ { id: x, prefix: x, upstream: http://h } ]\n", 1, 28, "must begin with `/`"},
        {"a prefix with a slash at its end", "routes: [ { id: x, prefix: /x/, upstream: http://h } ]\n", 1, 28, "must not end with `/`"},
        {"a prefix with dots", "routes: [ { id: x, prefix: /x/../y, upstream: http://h } ]\n", 1, 28, "`..`"},
        {"a prefix with a slash escaped", "routes: [ { id: x, prefix: /x%2Fy, upstream: http://h } ]\n", 1, 28, "refused in every call"},
        {"an empty prefix", "routes: [ { id: x, prefix: \"\", upstream: http://h } ]\n", 1, 28, "must begin with `/`"},
        {"a prefix of ours", "routes: [ { id: x, prefix: /oauth2, upstream: http://h } ]\n", 1, 28, "answers itself"},
        {"a prefix within ours", "routes: [ { id: x, prefix: /.well-known/x, upstream: http://h } ]\n", 1, 28, "answers itself"},
        {"another prefix of ours", "routes: [ { id: x, prefix: /.sallyport, upstream: http://h } ]\n", 1, 28, "answers itself"},
        {"a prefix twice", "routes: [ { id: x, prefix: /payments, upstream: http://h } ]\n", 1, 28, "already in"},
        {"a host twice", "routes: [ { id: x, host: crm.INTERNAL.example, upstream: http://h } ]\n", 1, 26, "already in"},
        {"a host with a port", "routes: [ { id: x, host: \"h:80\", upstream: http://h } ]\n", 1, 26, "without scheme and port"},
        {"no upstream", "routes: [ { id: x, prefix: /x } ]\n", 1, 11, "needs `upstream`"},
        {"an upstream that is no URL", "routes: [ { id: x, prefix: /x, upstream: not a url } ]\n", 1, 42, "must be a URL"},
        {"an upstream of another scheme", "routes: [ { id: x, prefix: /x, upstream: ftp://h } ]\n", 1, 42, "http:// or https://"},
        {"an upstream with a password", "routes: [ { id: x, prefix: /x, upstream: \"http://u:hunter2@h\" } ]\n", 1, 42, "password"},
        {"an upstream with a query", "routes: [ { id: x, prefix: /x, upstream: \"http://h?a=b\" } ]\n", 1, 42, "query"},
        {"an unknown key", route("    timout: 3s\n"), 5, 5, "did you mean `timeout`?"},
        {"a key of another world", route("    zzzzzzzzzz: 3s\n"), 5, 5, "it may have `id`, `prefix`"},
        {"a CA for plain HTTP", route("    ca: ca.pem\n"), 5, 9, "`ca` is for an https upstream"},
        {"a credential that is no name", route("    credential: A B\n"), 5, 17, "must be a name"},
        {"a wait that is too long", route("    wait: { max: 2h }\n"), 5, 18, "at most 1h"},
        {"a wait beyond its ceiling", route("    wait: { default: 10s, max: 5s }\n"), 5, 22, "longer than `max`, which is 5s"},
        {"a wait beyond the default ceiling", route("    wait: { default: 56s }\n"), 5, 22, "longer than `max`, which is 55s"},
        {"a wait that is a text", route("    wait: 10s\n"), 5, 11, "must be a map"},
        {"a duration without a unit", route("    timeout: 10\n"), 5, 14, "the unit is missing"},
        {"a duration of a half", route("    timeout: 1.5s\n"), 5, 14, "must be a duration"},
        {"a duration of nothing", route("    timeout: 0s\n"), 5, 14, "must be a duration"},
        {"a size without sense", route("    body_limit: plenty\n"), 5, 17, "must be a size"},
        {"a size without a unit", route("    body_limit: 1024\n"), 5, 17, "the unit is missing"},
        {"a size of another unit", route("    body_limit: 1mib\n"), 5, 17, "must be a size"},
        {"a size too large", route("    body_limit: 99999999999999999999GiB\n"), 5, 17, "must be a size"},
        {"a size that wraps", route("    body_limit: 18446744073709551615GiB\n"), 5, 17, "from 0B to 1GiB"},
        {"a boolean in quotes", route("    idempotent: \"true\"\n"), 5, 17, "true or false"},
        {"a boolean of YAML 1.1", route("    idempotent: yes\n"), 5, 17, "true or false"},
        {"a boolean in capitals", route("    idempotent: True\n"), 5, 17, "true or false"},
        {"a choice", route("    encoded_slash: decode\n"), 5, 20, "must be `keep` or `refuse`, not `decode`"},
        {"another choice", route("    path_parameters: true\n"), 5, 22, "must be `keep` or `refuse`"},
        {"a label that is a list", route("    labels: { a: [ b ] }\n"), 5, 18, "must be one value"},
        {"a label with a line break", route("    labels: { a: \"b\\nc\" }\n"), 5, 18, "without controls"},
        {"a label that is nothing", route("    labels: { a: }\n"), 5, 15, "has no value"},
        {"an octal number", route("    labels: { a: 010 }\n"), 5, 18, "leading zero"},
        {"a value that is not there", route("    timeout:\n"), 5, 5, "has no value"},
        {"a null", route("    timeout: ~\n"), 5, 14, "has no value"},
    };
    check_rows(rows, good);
}

TEST_CASE("each mistake is one error, at its place: policies")
{
    const auto rule = [](std::string_view more) {
        return "policies:\n  - id: x\n    route: crm\n    when: \"true\"\n" + std::string(more);
    };
    const mistake_row rows[] = {
        {"no id", "policies: [ { route: crm, when: \"true\", verdict: allow } ]\n", 1, 13, "needs `id`"},
        {"an id twice", "policies: [ { id: reads-pass, route: crm, when: \"true\", verdict: allow } ]\n", 1, 19, "already in"},
        {"no route", "policies: [ { id: x, when: \"true\", verdict: allow } ]\n", 1, 13, "needs `route`"},
        {"an unknown route", "policies: [ { id: x, route: paymets, when: \"true\", verdict: allow } ]\n", 1, 29,
         "did you mean `payments`?"},
        {"one unknown route of two", "policies: [ { id: x, route: [crm, z], when: \"true\", verdict: allow } ]\n", 1, 35, "no route `z`"},
        {"no routes", "policies: [ { id: x, route: [], when: \"true\", verdict: allow } ]\n", 1, 29, "must name a route"},
        {"a route twice", "policies: [ { id: x, route: [crm, crm], when: \"true\", verdict: allow } ]\n", 1, 35, "twice"},
        {"all routes among others", "policies: [ { id: x, route: [crm, \"*\"], when: \"true\", verdict: allow } ]\n", 1, 35,
         "stands alone"},
        {"all routes without quotes", "policies: [ { id: x, route: *, when: \"true\", verdict: allow } ]\n", 1, 29, "aliases"},
        {"no condition", "policies: [ { id: x, route: crm, verdict: allow } ]\n", 1, 13, "needs `when`"},
        {"an empty condition", "policies: [ { id: x, route: crm, when: \" \", verdict: allow } ]\n", 1, 40, "must be a condition"},
        {"no verdict", rule(""), 2, 5, "needs `verdict`"},
        {"an unknown verdict", rule("    verdict: maybe\n"), 5, 14, "must be `allow`, `hold` or `deny`, not `maybe`"},
        {"a hold by nobody", rule("    verdict: hold\n"), 5, 14, "needs a `workflow`"},
        {"an unknown workflow", rule("    verdict: hold\n    workflow: finanse\n"), 6, 15, "did you mean `finance`?"},
        {"an error that allows", rule("    verdict: deny\n    on_error: allow\n"), 6, 15, "must be `hold` or `deny`"},
        {"an unknown mode", rule("    verdict: deny\n    mode: watch\n"), 6, 11, "must be `enforce` or `shadow`"},
        {"an unknown key", rule("    verdict: deny\n    wen: x\n"), 6, 5, "did you mean `when`?"},
        {"a team that is no name", rule("    verdict: deny\n    team: A team\n"), 6, 11, "must be a name"},
        {"a summary that is a list", rule("    verdict: deny\n    summary: [ x ]\n"), 6, 14, "must be one value"},
    };
    check_rows(rows, good);
}

TEST_CASE("each mistake is one error, at its place: conditions and summaries")
{
    const auto rule = [](std::string_view when) {
        return "policies:\n  - id: x\n    route: crm\n    verdict: deny\n    when: " + std::string(when);
    };
    struct row {
        std::string name;
        std::string text;
        std::size_t line, from, to;  // columns: the token itself, or what is behind it
    };
    const row rows[] = {
        {"a misspelt field", rule("request.methd == \"GET\"\n"), 5, 11, 24},
        {"an unknown variable", rule("true && requst.method == \"GET\"\n"), 5, 19, 25},
        {"a comparison of text with a number", rule("request.method > 5\n"), 5, 11, 29},
        {"no condition", rule("request.method\n"), 5, 11, 25},
        {"nothing on the right", rule("request.method ==\n"), 5, 26, 29},
        {"in single quotes", rule("'request.methd == ''GET'''\n"), 5, 12, 25},
        {"in double quotes", rule("\"'\\x41' == request.methd\"\n"), 5, 22, 36},
        {"in a block", rule("|\n      true &&\n        request.methd == \"GET\"\n"), 7, 9, 22},
        {"in a folded block", rule(">-\n      true &&\n      request.methd == \"GET\"\n"), 7, 7, 20},
        {"over two lines", rule("true &&\n      request.methd == \"GET\"\n"), 6, 7, 20},
        {"in a summary", rule("\"true\"\n    summary: \"The {request.methd} of {body.x}\"\n"), 6, 20, 33},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const directory dir{{"main.yaml", good}, {"team.yaml", r.text}};
        const auto loaded = load(dir.path());
        const auto report = text_report(loaded);
        CAPTURE(report);
        REQUIRE(loaded.errors.size() == 1);
        CHECK(loaded.errors[0].file == (dir.path() / "team.yaml").string());
        CHECK(loaded.errors[0].line == r.line);
        CHECK(loaded.errors[0].column >= r.from);
        CHECK(loaded.errors[0].column <= r.to);
    }
}

TEST_CASE("each mistake is one error, at its place: workflows and schedules")
{
    const auto step = [](std::string_view s) { return "workflows:\n  w:\n    steps:\n      - " + std::string(s) + "\n"; };
    const auto with = [](std::string_view more) {
        return "workflows:\n  w:\n    steps: [ { notify: [owner], for: 1m } ]\n" + std::string(more);
    };
    const auto schedule = [](std::string_view zone, std::string_view rotation, std::string_view more = "") {
        return "schedules:\n  s:\n    time_zone: " + std::string(zone) + "\n    rotation: { " + std::string(rotation) + " }\n" +
               std::string(more);
    };
    const std::string_view turns = "people: [ada], every: 1d, from: 2026-01-05T09:00";
    const mistake_row rows[] = {
        {"workflows are no list", "workflows: []\n", 1, 12, "must be a map"},
        {"a bad name", "workflows:\n  Fin ance: { steps: [ { notify: [owner], for: 1m } ] }\n", 2, 3, "name"},
        {"a name twice", "workflows:\n  finance: { steps: [ { notify: [owner], for: 1m } ] }\n", 2, 12, "already in"},
        {"no steps", "workflows:\n  w: { approvals: 1 }\n", 2, 6, "needs `steps`"},
        {"steps without a step", "workflows:\n  w: { steps: [] }\n", 2, 15, "at least one step"},
        {"nobody to notify", step("{ for: 1m }"), 4, 9, "needs `notify`"},
        {"an empty list to notify", step("{ notify: [], for: 1m }"), 4, 19, "must name somebody"},
        {"no time", step("{ notify: [owner] }"), 4, 9, "needs `for`"},
        {"a time without a unit", step("{ notify: [owner], for: 10 }"), 4, 33, "the unit is missing"},
        {"an unknown target", step("{ notify: [ada], for: 1m }"), 4, 20, "`person:HANDLE`"},
        {"a target without a name", step("{ notify: [\"team:\"], for: 1m }"), 4, 20, "`team:NAME`"},
        {"a target of another kind", step("{ notify: [\"group:x\"], for: 1m }"), 4, 20, "`team:NAME`"},
        {"a target twice", step("{ notify: [owner, owner], for: 1m }"), 4, 27, "twice"},
        {"an unknown schedule", step("{ notify: [\"schedule:finance-on-cal\"], for: 1m }"), 4, 20, "did you mean `finance-on-call`?"},
        {"an unknown channel", step("{ notify: [owner], via: [pager], for: 1m }"), 4, 34, "there is `slack`, `email` or `ops`"},
        {"the inbox", step("{ notify: [owner], via: [inbox], for: 1m }"), 4, 34, "always a channel"},
        {"a channel twice", step("{ notify: [owner], via: [slack, slack], for: 1m }"), 4, 41, "twice"},
        {"an unknown key in a step", step("{ notify: [owner], fore: 1m, for: 1m }"), 4, 28, "did you mean `for`?"},
        {"an unknown key", with("    aprovals: 1\n"), 4, 5, "did you mean `approvals`?"},
        {"no approvals", with("    approvals: 0\n"), 4, 16, "from 1 to 100"},
        {"too many approvals", with("    approvals: 101\n"), 4, 16, "from 1 to 100"},
        {"approvals in quotes", with("    approvals: \"2\"\n"), 4, 16, "from 1 to 100"},
        {"half an approval", with("    approvals: 1.5\n"), 4, 16, "from 1 to 100"},
        {"approvals in hexadecimal", with("    approvals: 0x2\n"), 4, 16, "from 1 to 100"},
        {"an unknown assurance", with("    assurance: trust-me\n"), 4, 16, "`click`, `session` or `passkey`"},
        {"consent by silence", with("    otherwise: allow\n"), 4, 16, "must be `deny`"},
        {"an unknown exclusion", with("    not: [everybody]\n"), 4, 11, "`not` must name"},
        {"an unknown time zone", schedule("Europe/Berln", turns), 3, 16, "time_zone"},
        {"a time zone out of the way", schedule("../../etc/passwd", turns), 3, 16, "time_zone"},
        {"nobody in turn", schedule("UTC", "people: [], every: 1d, from: 2026-01-05T09:00"), 4, 25, "must name somebody"},
        {"a person that is no name", schedule("UTC", "people: [A B], every: 1d, from: 2026-01-05T09:00"), 4, 26, "must be a name"},
        {"no turn", schedule("UTC", "people: [ada], from: 2026-01-05T09:00"), 4, 15, "needs `every`"},
        {"turns of half a minute", schedule("UTC", "people: [ada], every: 30s, from: 2026-01-05T09:00"), 4, 39, "whole minutes"},
        {"no beginning", schedule("UTC", "people: [ada], every: 1d"), 4, 15, "needs `from`"},
        {"a day that is none", schedule("UTC", "people: [ada], every: 1d, from: 2026-02-30T09:00"), 4, 49, "local time"},
        {"a time with an offset", schedule("UTC", "people: [ada], every: 1d, from: \"2026-01-05T09:00Z\""), 4, 49, "local time"},
        {"an override that ends first",
         schedule("UTC", turns, "    overrides: [ { person: ada, from: 2026-01-05T09:00, until: 2026-01-05T09:00 } ]\n"), 5, 64,
         "after `from`"},
        {"an override of nobody", schedule("UTC", turns, "    overrides: [ { from: 2026-01-05T09:00, until: 2026-01-05T09:01 } ]\n"), 5, 18,
         "needs `person`"},
        {"a schedule twice",
         "schedules:\n  finance-on-call: { time_zone: UTC, rotation: { people: [ada], every: 1d, from: 2026-01-05T09:00 } }\n", 2, 20,
         "already in"},
    };
    check_rows(rows, good);
}

TEST_CASE("each mistake is one error, at its place: the process, alone")
{
    const auto email = [](std::string_view more) {
        return "notifiers:\n  email: { url: smtp://mail.example, from: a@b.example, " + std::string(more) + " }\n";
    };
    const mistake_row rows[] = {
        {"an unknown key", "polices: []\n", 1, 1, "did you mean `policies`?"},
        {"a list at the top", "- a\n", 1, 1, "must be a map"},
        {"an unknown listener", "listen: { agent: 127.0.0.1:1 }\n", 1, 11, "did you mean `agents`?"},
        {"an address without a port", "listen: { agents: 127.0.0.1 }\n", 1, 19, "HOST:PORT"},
        {"one address for two", "listen: { agents: 127.0.0.1:1, people: 127.0.0.1:1 }\n", 1, 9, "must not share"},
        {"one port for all addresses and one", "listen: { agents: 0.0.0.0:1, metrics: 127.0.0.1:1 }\n", 1, 9, "must not share"},
        {"a public URL with a path", "public_url: http://localhost/gate\n", 1, 13, "must not have a path"},
        {"a public URL with a password", "public_url: http://u:hunter2@localhost\n", 1, 13, "password"},
        {"an issuer without a scheme", "agents_url: localhost\n", 1, 13, "must be a URL"},
        {"a database with a password", "database: postgresql://u:hunter2@db/x\n", 1, 11, "password"},
        {"a database with a password behind", "database: { url: \"postgresql://u@db/x?password=hunter2\" }\n", 1, 18, "password"},
        {"a database's password itself", "database: { url: postgresql://db/x, password: hunter2 }\n", 1, 47, "never written here"},
        {"a database without a URL", "database: { password: { env: X } }\n", 1, 11, "needs `url`"},
        {"half a certificate", "tls: { agents: { certificate: c.pem } }\n", 1, 16, "needs `key`"},
        {"an empty path", "tls: { agents: { certificate: \"\", key: k } }\n", 1, 31, "file's path"},
        {"a limit that is unknown", "limits: { sesion: 1h }\n", 1, 11, "did you mean `session`?"},
        {"a token that lives too long", "limits: { access_token: 16m }\n", 1, 25, "at most 15m"},
        {"a count of nothing", "limits: { holds: 0 }\n", 1, 18, "from 1 to"},
        {"a head without room", "limits: { header_bytes: 1B }\n", 1, 25, "from 1KiB to 1MiB"},
        {"a secret written down", "notifiers: { slack: { bot_token: hunter2 } }\n", 1, 34, "never written here"},
        {"a secret in two places", "notifiers: { slack: { bot_token: { env: A, file: b } } }\n", 1, 34, "either `env` or `file`"},
        {"a secret nowhere", "notifiers: { slack: { bot_token: {} } }\n", 1, 34, "either `env` or `file`"},
        {"a variable that is none", "notifiers: { slack: { bot_token: { env: A-B } } }\n", 1, 41, "environment variable"},
        {"no token", "notifiers: { slack: {} }\n", 1, 21, "needs `bot_token`"},
        {"a mail server that is none", "notifiers: { email: { url: http://mail, from: a@b.c } }\n", 1, 28, "smtp:// or smtps://"},
        {"a mail server's password", "notifiers: { email: { url: \"smtp://u:hunter2@mail\", from: a@b.c } }\n", 1, 28, "password"},
        {"a sender with a line break", email("from2: x"), 2, 57, "did you mean `from`?"},
        {"a user without a password", email("user: u"), 2, 63, "needs a `password`"},
        {"a password without a user", email("password: { env: P }"), 2, 67, "needs a `user`"},
        {"a password in the clear", email("user: u, password: { env: P }, starttls: never"), 2, 98, "in the clear"},
        {"an unknown way of TLS", email("starttls: maybe"), 2, 67, "`required`, `opportunistic` or `never`"},
        {"a sender that is none", "notifiers: { email: { url: smtp://mail, from: \"x\\r\\nBcc: a@b.c\" } }\n", 1, 47, "mail address"},
        {"two senders", "notifiers: { email: { url: smtp://mail, from: \"a@b.c, d@e.f\" } }\n", 1, 47, "mail address"},
        {"a webhook without a secret", "notifiers: { webhooks: [ { id: a, url: http://h } ] }\n", 1, 26, "needs `secret`"},
        {"a webhook with another's name", "notifiers: { webhooks: [ { id: slack, url: http://h, secret: { env: S } } ] }\n", 1, 32,
         "a channel already"},
        {"a webhook twice",
         "notifiers: { webhooks: [ { id: a, url: http://h, secret: { env: S } }, { id: a, url: http://h, secret: { env: S } } ] }\n", 1, 78,
         "already in"},
        {"no YAML", "routes: [\n", 2, 1, "not YAML"},
        {"a channel where none is", "workflows: { w: { steps: [ { notify: [owner], via: [slack], for: 1m } ] } }\n", 1, 53,
         "which has none"},
    };
    check_rows(rows, "");
}

TEST_CASE("what stands in several files")
{
    SUBCASE("the process's keys may stand once")
    {
        const directory dir{
            {"a.yaml", "listen: {}\npublic_url: http://localhost\nagents_url: http://x\ndatabase: postgres://db\ntls: {}\n"},
            {"b.yaml", "tls: {}\ndatabase: postgres://db\nagents_url: http://x\npublic_url: http://localhost\nlisten: {}\n"}};
        const auto loaded = load(dir.path());
        REQUIRE(loaded.errors.size() == 5);
        for (std::size_t i = 0; i < 5; ++i) {
            CHECK(loaded.errors[i].file == (dir.path() / "b.yaml").string());
            CHECK(loaded.errors[i].line == i + 1);
            CHECK(loaded.errors[i].column == 1);
            CHECK(loaded.errors[i].message.find("a.yaml:" + std::to_string(5 - i)) != std::string::npos);
        }
    }
    SUBCASE("the others join")
    {
        const directory dir{
            {"a.yaml", "policies: [ { id: p, route: x, when: 'true', verdict: hold, workflow: w } ]\nlimits: { holds: 7 }\n"},
            {"b.yaml", "routes: [ { id: x, prefix: /x, upstream: http://127.0.0.1:9 } ]\nlimits: { connections: 8 }\n"},
            {"c.yml", "workflows: { w: { steps: [ { notify: [\"schedule:s\"], via: a, for: 1m } ] } }\n"},
            {"d.yaml", "notifiers: { webhooks: [ { id: a, url: http://h, secret: { env: S } } ] }\n"},
            {"e.yaml", "schedules: { s: { time_zone: UTC, rotation: { people: [ada], every: 1d, from: 2026-01-05T09:00 } } }\n"}};
        const auto loaded = load(dir.path());
        REQUIRE_MESSAGE(loaded.config, text_report(loaded));
        CHECK(loaded.config->limits.holds == 7);
        CHECK(loaded.config->limits.connections == 8);
    }
    SUBCASE("but nothing is said twice")
    {
        const directory dir{{"a.yaml", "limits: { holds: 7 }\nnotifiers: { slack: { bot_token: { env: A } } }\n"},
                            {"b.yaml", "limits: { holds: 7 }\nnotifiers: { slack: { bot_token: { env: A } } }\n"}};
        CHECK(load(dir.path()).errors.size() == 2);
    }
}

TEST_CASE("every error of every file is said at once, in order")
{
    const directory dir{
        {"b.yaml", "workflows:\n  w:\n    aprovals: 1\n    steps: [ { notify: [owner], for: 1 } ]\n"},
        {"a.yaml", "policies:\n  - id: one\n    route: nowhere\n    when: \"true\"\n    verdict: allow\n  - id: two\n    route: nowhere\n"
                   "    when: request.methd == \"\"\n    verdict: allow\n"}};
    const auto loaded = load(dir.path());
    std::vector<std::string> places;
    for (const auto& e : loaded.errors) places.push_back(std::filesystem::path(e.file).filename().string() + ":" + std::to_string(e.line));
    CHECK(places == std::vector<std::string>{"a.yaml:3", "a.yaml:7", "a.yaml:8", "b.yaml:3", "b.yaml:4"});
}

TEST_CASE("where a file cannot be read, nothing else is called unknown")
{
    const directory dir{{"main.yaml", "routes: [\n"},
                        {"rules.yaml", "policies: [ { id: x, route: crm, when: 'true', verdict: hold, workflow: w } ]\n"}};
    const auto loaded = load(dir.path());
    REQUIRE(loaded.errors.size() == 1);
    CHECK(loaded.errors[0].file == (dir.path() / "main.yaml").string());
}

TEST_CASE("which files are read")
{
    for (const char* name : {"a.yaml", "a.yml", "a.b.yaml", "test.yaml", "a-test.yml"}) CHECK(is_configuration_file(name));
    for (const char* name : {".a.yaml", "a.test.yaml", "a.test.yml", "a.yaml~", "a.YAML", "yaml", ".yaml", "a.txt", "a.yaml.swp", ""})
        CHECK(!is_configuration_file(name));

    const directory dir{
        {"a.yaml", "{}"}, {".draft.yaml", "policies: [\n"}, {"rules.test.yaml", "tests: []\n"}, {"notes.txt", "no: yaml: here"}};
    std::filesystem::create_directory(dir.path() / "more");
    std::ofstream(dir.path() / "more" / "b.yaml") << "policies: [\n";
    CHECK_MESSAGE(load(dir.path()).errors.empty(), text_report(load(dir.path())));
}

TEST_CASE("what is no file does not hold it up")
{
    SUBCASE("no directory")
    {
        const auto loaded = load("/no/such/directory");
        REQUIRE(loaded.errors.size() == 1);
        CHECK(line_of(loaded.errors[0]).starts_with("/no/such/directory: "));
    }
    SUBCASE("no file in it")
    {
        const directory dir;
        const auto loaded = load(dir.path());
        REQUIRE(loaded.errors.size() == 1);
        CHECK(loaded.errors[0].message.find("no *.yaml file") != std::string::npos);
    }
    SUBCASE("a pipe without a writer")
    {
        const directory dir;
        REQUIRE(::mkfifo((dir.path() / "a.yaml").c_str(), 0600) == 0);
        CHECK(load(dir.path()).errors.size() == 1);
    }
    SUBCASE("a directory by a file's name")
    {
        const directory dir;
        std::filesystem::create_directory(dir.path() / "a.yaml");
        CHECK(load(dir.path()).errors.size() == 1);
    }
    SUBCASE("a link to nothing")
    {
        const directory dir;
        std::filesystem::create_symlink("nowhere", dir.path() / "a.yaml");
        CHECK(load(dir.path()).errors.size() == 1);
    }
    SUBCASE("a file of more than 1 MiB")
    {
        const directory dir{{"a.yaml", std::string(2 << 20, '#')}};
        CHECK(load(dir.path()).errors.size() == 1);
    }
}

TEST_CASE("the file's name is the directory as given, then the name")
{
    const directory dir{{"a.yaml", "x: 1\n"}};
    const auto given = dir.path() / "." / "";
    const auto loaded = load(given);
    REQUIRE(loaded.errors.size() == 1);
    CHECK(loaded.errors[0].file == given.string() + "a.yaml");
}

TEST_CASE("the digest is of what is said, not of how")
{
    const auto digest = digest_of_files({{"main.yaml", good}});
    const std::string text(good);
    const auto split = text.find("policies:"), next = text.find("workflows:");
    REQUIRE(split < next);
    const auto rules = text.substr(split, next - split);
    CHECK(digest == digest_of_files({{"z.yaml", text.substr(0, split) + text.substr(next)}, {"a.yml", rules}}));
    CHECK(digest == digest_of_files({{"main.yaml", "# another comment\n" + replaced(good, "verdict: allow", "verdict:   \"allow\"")}}));
    CHECK(digest == digest_of_files({{"main.yaml", replaced(good, "body_limit: 64KiB", "body_limit: 65536B")}}));
    CHECK(digest == digest_of_files({{"main.yaml", replaced(good, "timeout: 20s", "timeout: 20000ms")}}));
    CHECK(digest == digest_of_files({{"main.yaml", replaced(good, "via: [slack, email]", "via: [email, slack]")}}));
    CHECK(digest == digest_of_files({{"main.yaml", replaced(good, "encoded_slash: keep", "timeout: 30s\n    encoded_slash: keep")}}));
    // What belongs to the process is not policy.
    CHECK(digest == digest_of_files({{"main.yaml", replaced(good, "18080", "18090")}}));

    std::set<std::string> all{digest};
    const std::pair<std::string_view, std::string_view> changes[] = {
        {"prefix: /payments", "prefix: /payment"},
        {"host: CRM.", "host: CRMS."},
        {":8443/base/", ":8443/"},
        {"https://api.payments", "http://api.payments"},
        {"credential: payments-key", "credential: key"},
        {"default: 10s", "default: 11s"},
        {"max: 50s", "max: 51s"},
        {"timeout: 20s", "timeout: 21s"},
        {"body_limit: 64KiB", "body_limit: 65KiB"},
        {"idempotent: true", "idempotent: false"},
        {"data: financial", "data: other"},
        {"encoded_slash: keep", "encoded_slash: refuse"},
        {"path_parameters: keep", "path_parameters: refuse"},
        {"id: reads-pass", "id: reads"},
        {"\"HEAD\"]", "\"OPTIONS\"]"},
        {"verdict: allow", "verdict: deny"},
        {"on_error: deny", "on_error: hold"},
        {"mode: shadow", "mode: enforce"},
        {"route: [payments]", "route: [payments, crm]"},
        {"team: finance", "team: other"},
        {"Refund {body.amount}", "Pay {body.amount}"},
        {"approvals: 2", "approvals: 1"},
        {"assurance: session", "assurance: click"},
        {"not: [owner]", "not: []"},
        {"for: 10m", "for: 11m"},
        {"\"person:ada\"", "\"person:grace\""},
        {"via: ops", "via: slack"},
        {"every: 7d", "every: 8d"},
        {"Europe/Berlin", "Europe/Paris"},
        {"[ada, grace]", "[grace, ada]"},
        {"person: alan", "person: adam"},
        {"statement: 4m", "statement: 3m"},
        {"holds: 200", "holds: 201"},
    };
    for (const auto& [what, with] : changes) {
        CAPTURE(what);
        CHECK(all.insert(digest_of_files({{"main.yaml", replaced(good, what, with)}})).second);
    }
}

TEST_CASE("warnings: right, but without sense")
{
    struct row {
        std::string name;
        std::string text;
        std::size_t line;
        const char* message;
    };
    const std::string routes = "routes: [ { id: x, prefix: /x, upstream: http://127.0.0.1:9 } ]\n";
    const std::string rule = "policies: [ { id: p, route: x, when: 'true', verdict: deny } ]\n";
    const row rows[] = {
        {"a route without rules", routes, 1, "every call to it is denied"},
        {"a route with rules in the shadow", routes + "policies: [ { id: p, route: x, when: 'true', verdict: deny, mode: shadow } ]\n", 1,
         "every call to it is denied"},
        {"a rule that never holds", routes + "policies: [ { id: p, route: x, when: ( false ), verdict: deny } ]\n", 2, "never holds"},
        {"a rule that cannot hold what it cannot judge", routes + "policies: [ { id: p, route: x, when: body.a == 1, verdict: allow } ]\n",
         2, "then denies"},
        {"a rule that compares in vain",
         routes + "policies:\n  - id: p\n    route: x\n    verdict: deny\n    when: request.method == 'get'\n", 6, "capitals"},
        {"a rule of no route", "policies: [ { id: p, route: '*', when: 'true', verdict: deny } ]\n", 1, "no route"},
        {"a workflow that nobody uses", routes + rule + "workflows: { w: { steps: [ { notify: [owner], for: 1m } ] } }\n", 3,
         "no policy uses workflow `w`"},
        {"a schedule that nobody uses",
         routes + rule + "schedules: { s: { time_zone: UTC, rotation: { people: [ada], every: 1d, from: 2026-01-05T09:00 } } }\n", 3,
         "no workflow uses schedule `s`"},
        {"a workflow that excludes all",
         routes + "policies: [ { id: p, route: x, when: 'true', verdict: hold, workflow: w } ]\nworkflows: { w: { not: [owner], steps: [ { "
                  "notify: [owner], for: 1m } ] } }\n",
         3, "excludes everybody"},
        {"a workflow of too few",
         routes + "policies: [ { id: p, route: x, when: 'true', verdict: hold, workflow: w } ]\nworkflows: { w: { approvals: 2, steps: [ { "
                  "notify: [\"person:ada\"], for: 1m } ] } }\n",
         3, "only 1 may"},
        {"an address as public URL", routes + rule + "public_url: http://127.0.0.1:8081\n", 3, "passkeys"},
        {"a public URL without TLS", routes + rule + "public_url: http://gate.example\n", 3, "passkeys"},
        {"a file that is not there", replaced(routes, "http://127.0.0.1:9", "https://h, ca: nowhere.pem") + rule, 1, "no file"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const directory dir{{"a.yaml", r.text}};
        const auto loaded = load(dir.path());
        const auto report = text_report(loaded);
        CAPTURE(report);
        CHECK(loaded.errors.empty());
        CHECK(loaded.config);
        REQUIRE(loaded.warnings.size() == 1);
        CHECK(loaded.warnings[0].line == r.line);
        CHECK(loaded.warnings[0].message.find(r.message) != std::string::npos);
    }
}

TEST_CASE("rules that cannot err, or have a way to hold, are no cause for a warning")
{
    const std::string routes = "routes: [ { id: x, prefix: /x, upstream: http://127.0.0.1:9 } ]\n";
    for (const std::string_view rule : {"when: 'request.method in [\"GET\"] && request.path == \"/body /v1\"', verdict: allow",
                                        "when: body.a == 1, verdict: allow, on_error: deny"}) {
        CAPTURE(rule);
        const directory dir{{"a.yaml", routes + "policies: [ { id: p, route: x, " + std::string(rule) + " } ]\n"}};
        const auto loaded = load(dir.path());
        CHECK_MESSAGE(loaded.warnings.empty(), text_report(loaded));
    }
    const directory dir{{"a.yaml", routes + "policies: [ { id: p, route: x, when: body.a == 1, verdict: allow } ]\nworkflows: { default: { "
                                            "steps: [ { notify: [owner], for: 1m } ] } }\n"}};
    CHECK_MESSAGE(load(dir.path()).warnings.empty(), text_report(load(dir.path())));
}

}  // namespace
}  // namespace sallyport::config
