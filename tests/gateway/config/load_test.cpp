#include "gateway/config/load.hpp"

#include "gateway/config/report.hpp"
#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>
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

    const auto& on_call = c.arranged.on_call.at("finance-on-call");
    CHECK(on_call.zone->name() == "Europe/Berlin");
    CHECK(on_call.zone->offset_at(std::chrono::sys_days{std::chrono::year(2026) / 7 / 1}) == 2h);
    CHECK(on_call.on_call(std::chrono::sys_days{std::chrono::year(2026) / 1 / 12} + 7h + 59min) == std::vector<std::string>{"ada"});
    CHECK(on_call.on_call(std::chrono::sys_days{std::chrono::year(2026) / 1 / 12} + 8h) == std::vector<std::string>{"grace"});
    CHECK(on_call.people == std::vector<std::string>{"ada", "grace"});
    CHECK(on_call.every == 7 * 24h);
    CHECK(on_call.from == std::chrono::local_days{std::chrono::year(2026) / 1 / 5} + 9h);
    REQUIRE(on_call.overrides.size() == 1);
    CHECK(on_call.overrides[0].person == "alan");
    CHECK(on_call.overrides[0].until == std::chrono::local_days{std::chrono::year(2026) / 2 / 3} + 30s);

    REQUIRE(c.oidc);
    CHECK(c.oidc->issuer == "https://Id.example:8443/realms/a/");
    CHECK(c.oidc->name == "id.example:8443");
    CHECK(c.oidc->client_id == "gate");
    CHECK(c.oidc->client_secret->env == "OIDC_SECRET");
    CHECK(c.oidc->scopes == std::vector<std::string>{"openid", "email", "groups"});
    CHECK(c.oidc->groups_claim == "roles");
    CHECK(c.oidc->groups.size() == 2);
    CHECK(c.oidc->groups.at("Finance / Approvers") == "finance");
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

TEST_CASE("a channel that is not set up is a warning, for the inbox is always one; a name that means nothing is an error")
{
    const directory dir{{"main.yaml", "workflows:\n  w:\n    steps: [ { notify: [owner], via: [slack, email], for: 1m } ]\n"}};
    const auto loaded = load(dir.path());
    REQUIRE_MESSAGE(loaded.config, text_report(loaded));
    CHECK(loaded.config->workflows.at("w").steps[0].via == std::vector<std::string>{"slack", "email"});
    std::vector<std::string> said;
    for (const auto& w : loaded.warnings)
        if (w.message.find("is not configured in `notifiers`") != std::string::npos)
            said.push_back(std::to_string(w.line) + ":" + std::to_string(w.column));
    CHECK(said == std::vector<std::string>{"3:39", "3:46"});
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

TEST_CASE("who must approve, when, and who may do so alone")
{
    const directory files(
        {{"main.yaml", good},
         {"more.yaml",
          "schedules:\n"
          "  office: { time_zone: Europe/Berlin, hours: [ { days: [mon, fri], from: \"09:00\", until: \"24:00\" } ] }\n"
          "workflows:\n"
          "  both:\n"
          "    approvals: { \"team:finance\": 2, \"team:legal\": 1, 'where:person.labels[\"level\"] == \"senior\"': 1 }\n"
          "    not: [initiator, last-approver]\n"
          "    break_glass: [\"person:ada\", \"team:security\"]\n"
          "    steps:\n"
          "      - { notify: [\"team:finance\", \"team:legal\", 'where:\"x\" in person.teams'], for: 1h, within: office }\n"}});
    const auto loaded = load(files.path());
    REQUIRE_MESSAGE(loaded.config, text_report(loaded));
    const auto& both = loaded.config->workflows.at("both");
    CHECK(both.approvals == 4);
    REQUIRE(both.places.size() == 3);
    CHECK(both.places[0].of.text() == "team:finance");
    CHECK(both.places[0].approvals == 2);
    CHECK(both.places[2].of.kind == target::kind::where);
    CHECK(both.not_ == std::vector<target>{{target::kind::initiator, ""}, {target::kind::last_approver, ""}});
    CHECK(both.break_glass == std::vector<target>{{target::kind::person, "ada"}, {target::kind::team, "security"}});
    CHECK(both.steps[0].within == "office");
    const auto& office = loaded.config->arranged.hours.at("office");
    REQUIRE(office.ranges.size() == 1);
    CHECK(office.ranges[0].days == std::array<bool, 7>{false, true, false, false, false, true, false});
    CHECK(office.ranges[0].until == 24h);
    REQUIRE(loaded.config->arranged.conditions);
    person ada;
    ada.teams = {"x"};
    CHECK(loaded.config->arranged.conditions->is_true("\"x\" in person.teams", ada, {}, {}) == true);
    // A place that no step names is said, where it may be filled all the same.
    REQUIRE_FALSE(loaded.warnings.empty());
    CHECK(std::any_of(loaded.warnings.begin(), loaded.warnings.end(),
                      [](const finding& w) { return w.message.find("no step notifies people of whom") != std::string::npos; }));
}

TEST_CASE("each of these changes the digest, and what does not say them keeps its own")
{
    const auto of = [](std::string_view workflow, std::string_view hours = "from: \"09:00\"") {
        return digest_of_files({{"main.yaml", good},
                                {"more.yaml", "schedules: { office: { time_zone: UTC, hours: [ { days: [mon], " + std::string(hours) +
                                                  ", until: \"17:00\" } ] } }\nworkflows: { w: { " + std::string(workflow) +
                                                  "steps: [ { notify: [\"team:a\", \"team:b\"], for: 1h } ] } }\n"}});
    };
    std::set<std::string> all;
    for (const char* workflow :
         {"", "approvals: { \"team:a\": 1 }, ", "approvals: { \"team:b\": 1 }, ", "approvals: { \"team:a\": 1, \"team:b\": 1 }, ",
          "approvals: 2, ", "break_glass: [\"team:a\"], ", "not: [initiator], ", "not: [last-approver], "}) {
        CAPTURE(workflow);
        CHECK(all.insert(of(workflow)).second);
    }
    CHECK(all.insert(of("", "from: \"10:00\"")).second);
    CHECK(of("approvals: 1, ") == of(""));
    CHECK(of("approvals: { \"team:a\": 1, \"team:b\": 1 }, ") == of("approvals: { \"team:b\": 1, \"team:a\": 1 }, "));
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
