// Every mistake that a configuration can have: one row each, with the place and the words that it must get.
#include "gateway/config/load.hpp"

#include "gateway/config/report.hpp"
#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>

namespace sallyport::config {
namespace {

using testing::directory;
using testing::good;

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
        {"push", step("{ notify: [owner], via: [push], for: 1m }"), 4, 34, "push is of the inbox"},
        {"a channel twice", step("{ notify: [owner], via: [slack, slack], for: 1m }"), 4, 41, "twice"},
        {"an unknown key in a step", step("{ notify: [owner], fore: 1m, for: 1m }"), 4, 28, "did you mean `for`?"},
        {"an unknown key", with("    aprovals: 1\n"), 4, 5, "did you mean `approvals`?"},
        {"no approvals", with("    approvals: 0\n"), 4, 16, "from 1 to 100"},
        {"too many approvals", with("    approvals: 101\n"), 4, 16, "from 1 to 100"},
        {"approvals in quotes", with("    approvals: \"2\"\n"), 4, 16, "from 1 to 100"},
        {"half an approval", with("    approvals: 1.5\n"), 4, 16, "from 1 to 100"},
        {"approvals in hexadecimal", with("    approvals: 0x2\n"), 4, 16, "from 1 to 100"},
        {"an unknown assurance", with("    assurance: trust-me\n"), 4, 16, "`click`, `session` or `passkey`"},
        {"reminders without end", step("{ notify: [owner], for: 1h, remind: 10s }"), 4, 45, "1m at least"},
        {"reminders that never come", step("{ notify: [owner], for: 5m, remind: 5m }"), 4, 45, "shorter than `for`"},
        {"an unknown control", with("    control: six-eyes\n"), 4, 14, "`confirm` or `four-eyes`"},
        {"the owner's own word, by two", with("    approvals: 2\n    control: confirm\n"), 5, 14, "the owner's own word"},
        {"the owner's own word, without the owner", with("    not: [owner]\n    control: confirm\n"), 5, 14, "the owner's own word"},
        {"consent by silence", with("    otherwise: allow\n"), 4, 16, "must be `deny`"},
        {"an unknown exclusion", with("    not: [everybody]\n"), 4, 11, "`not` must name"},
        {"an unknown time zone", schedule("Europe/Berln", turns), 3, 16, "time_zone"},
        {"a time zone out of the way", schedule("../../etc/passwd", turns), 3, 16, "time_zone"},
        {"a folder of time zones", schedule("Europe", turns), 3, 16, "time_zone"},
        {"a file that is no time zone", schedule("zone.tab", turns), 3, 16, "time_zone"},
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
        {"places of nobody", with("    approvals: {}\n"), 4, 16, "name those who must approve"},
        {"places that are no number", with("    approvals: { owner: some }\n"), 4, 25, "from 1 to 100"},
        {"a place of no target", with("    approvals: { ada: 1 }\n"), 4, 18, "`approvals` must name"},
        {"a place of the last approver", with("    approvals: { last-approver: 1 }\n"), 4, 18, "`approvals` must name"},
        {"two by one person", with("    approvals: { \"person:ada\": 2 }\n"), 4, 32, "one person gives one approval"},
        {"too many in all", with("    approvals: { owner: 60, \"team:x\": 60 }\n"), 4, 16, "at most 100 in all"},
        {"a place that is excluded", with("    not: [\"team:legal\"]\n    approvals: { \"team:legal\": 1, owner: 1 }\n"), 5, 16,
         "nobody can give the approval of team legal: `not` excludes them"},
        {"the owner's place, as the initiator", with("    not: [initiator]\n    approvals: { owner: 1 }\n"), 5, 16, "excludes them"},
        {"the owner's place, with four eyes", with("    control: four-eyes\n    approvals: { owner: 1 }\n"), 5, 16, "excludes them"},
        {"a place that no step asks",
         "workflows:\n  w:\n    approvals: { \"person:bob\": 1 }\n    steps: [ { notify: [\"person:ada\"], for: 1m } ]\n", 3, 16,
         "no step asks them"},
        {"the last approver is asked", step("{ notify: [last-approver], for: 1m }"), 4, 20, "`notify` must name"},
        {"the last approver breaks the glass", with("    break_glass: [last-approver]\n"), 4, 19, "`break_glass` must name"},
        {"glass of nobody", with("    break_glass: [everybody]\n"), 4, 19, "`break_glass` must name"},
        {"an expression that is none", step("{ notify: [\"where:\"], for: 1m }"), 4, 20, "`where:EXPRESSION`"},
        {"an expression with a misspelt field", step("{ notify: ['where:person.nickname == \"ada\"'], for: 1m }"), 4, 34, "nickname"},
        {"an expression of another type", step("{ notify: ['where:person.handle'], for: 1m }"), 4, 27, "bool"},
        {"an expression that is not finished", with("    not: ['where:person.handle ==']\n"), 4, 34, "`not`: "},
        {"unknown hours", step("{ notify: [owner], for: 1m, within: offic }"), 4, 45, "there is no schedule `offic`"},
        {"hours that are a rotation", step("{ notify: [owner], for: 1m, within: finance-on-call }"), 4, 45, "it has no `hours`"},
        {"somebody on call in hours",
         "schedules: { o: { time_zone: UTC, hours: [ { days: [mon], from: 09:00, until: 17:00 } ] } }\n"
         "workflows:\n  w:\n    steps:\n      - { notify: [\"schedule:o\"], for: 1m }\n",
         5, 20, "belongs in `within`"},
        {"hours that never come", "schedules: { o: { time_zone: UTC, hours: [] } }\n", 1, 42, "never come"},
        {"hours and a rotation",
         "schedules: { o: { time_zone: UTC, hours: [ { days: [mon], from: 09:00, until: 17:00 } ], overrides: [] } }\n", 1, 90,
         "either `hours`"},
        {"hours without days", "schedules: { o: { time_zone: UTC, hours: [ { from: 09:00, until: 17:00 } ] } }\n", 1, 44, "needs `days`"},
        {"a day that is none", "schedules: { o: { time_zone: UTC, hours: [ { days: [monday], from: 09:00, until: 17:00 } ] } }\n", 1, 53,
         "`days` must be"},
        {"a day twice", "schedules: { o: { time_zone: UTC, hours: [ { days: [mon, mon], from: 09:00, until: 17:00 } ] } }\n", 1, 58,
         "twice"},
        {"hours over midnight", "schedules: { o: { time_zone: UTC, hours: [ { days: [mon], from: \"22:00\", until: \"06:00\" } ] } }\n", 1,
         81, "over midnight are two ranges"},
        {"an hour that is none", "schedules: { o: { time_zone: UTC, hours: [ { days: [mon], from: \"9:00\", until: 17:00 } ] } }\n", 1, 65,
         "a time of day"},
        {"an hour beyond the day", "schedules: { o: { time_zone: UTC, hours: [ { days: [mon], from: 09:00, until: 24:01 } ] } }\n", 1, 79,
         "a time of day"},
        {"hours without a zone", "schedules: { o: { hours: [ { days: [mon], from: 09:00, until: 17:00 } ] } }\n", 1, 17,
         "needs `time_zone`"},
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
    const auto oidc = [](std::string_view more) { return "sign_in:\n  oidc: { " + std::string(more) + " }\n"; };
    const std::string issuer = "issuer: https://id.example, ";
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
        {"no issuer", oidc("client_id: c"), 2, 9, "needs `issuer`"},
        {"an issuer that is none", oidc("issuer: id.example, client_id: c"), 2, 19, "must be a URL"},
        {"an issuer without TLS", oidc("issuer: http://id.example, client_id: c"), 2, 19, "must be https"},
        {"an issuer that only begins like this machine", oidc("issuer: http://127.id.example, client_id: c"), 2, 19, "must be https"},
        {"an issuer with a password", oidc("issuer: https://u:hunter2@id.example, client_id: c"), 2, 19, "password"},
        {"an issuer with a query", oidc("issuer: \"https://id.example/?a=b\", client_id: c"), 2, 19, "query"},
        {"no client", oidc("issuer: https://id.example"), 2, 9, "needs `client_id`"},
        {"a client of two words", oidc(issuer + "client_id: a b"), 2, 50, "visible characters"},
        {"a client secret written down", oidc(issuer + "client_id: c, client_secret: hunter2"), 2, 68, "never written here"},
        {"scopes without openid", oidc(issuer + "client_id: c, scopes: [email]"), 2, 61, "must have openid"},
        {"two scopes in one", oidc(issuer + "client_id: c, scopes: [openid, a b]"), 2, 70, "one word"},
        {"a claim without a name", oidc(issuer + "client_id: c, groups_claim: \"\""), 2, 67, "name of a claim"},
        {"a team that is none", oidc(issuer + "client_id: c, groups: { a: A B }"), 2, 66, "must be a name"},
        {"groups in a list", oidc(issuer + "client_id: c, groups: [a]"), 2, 61, "must be a map"},
        {"an unknown way to sign in", "sign_in: { saml: {} }\n", 1, 12, "unknown"},
        {"no YAML", "routes: [\n", 2, 1, "not YAML"},
        {"a channel where none is", "workflows: { w: { steps: [ { notify: [owner], via: [pager], for: 1m } ] } }\n", 1, 53,
         "which has none"},
    };
    check_rows(rows, "");
}

}  // namespace
}  // namespace sallyport::config
