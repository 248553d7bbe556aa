#include "gateway/command_line/policy_cases.hpp"

#include "gateway/canonical/field.hpp"
#include "gateway/command_line/context.hpp"
#include "gateway/config/yaml.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <initializer_list>

namespace sallyport::command_line {
namespace {

using config::yaml::node;

// Reads one file; the first mistake ends it, as an exception that does not leave read_cases().
class case_reader {
public:
    struct wrong {
        config::yaml::position at;
        std::string message;
    };

    explicit case_reader(const config::yaml::document& document) : document_(document) {}

    std::vector<policy_case> cases() const
    {
        std::vector<policy_case> all;
        only(document_.root(), {"tests"});
        for (const node& one : list_of(need(document_.root(), "tests"))) all.push_back(one_case(one));
        return all;
    }

private:
    [[noreturn]] void refuse(const node& at, std::string message) const { throw wrong{document_.at(at.begin), std::move(message)}; }

    void only(const node& map, std::initializer_list<std::string_view> names) const
    {
        if (map.kind != node::kind::map) refuse(map, "a map is wanted here");
        for (const auto& m : map.members)
            if (std::find(names.begin(), names.end(), m.key) == names.end()) throw wrong{document_.at(m.begin), "unknown key " + m.key};
    }
    const node& need(const node& map, std::string_view key) const
    {
        const auto* found = map.find(key);
        if (!found) refuse(map, std::string(key) + " is missing");
        return found->value;
    }
    const std::vector<node>& list_of(const node& n) const
    {
        if (n.kind != node::kind::list) refuse(n, "a list is wanted here");
        return n.items;
    }
    const std::string& text_of(const node& n) const
    {
        if (n.kind != node::kind::scalar) refuse(n, "a text is wanted here");
        return n.text;
    }
    std::string text_or(const node& map, std::string_view key, const std::string& otherwise) const
    {
        const auto* found = map.find(key);
        return found ? text_of(found->value) : otherwise;
    }

    // YAML's plain scalars are typed as JSON would type them; everything quoted is a string.
    boost::json::value json_of(const node& n) const
    {
        switch (n.kind) {
        case node::kind::null: return nullptr;
        case node::kind::scalar: {
            if (!n.plain()) return boost::json::value(n.text);
            boost::system::error_code error;
            auto value = boost::json::parse(n.text, error);
            return error ? boost::json::value(n.text) : value;
        }
        case node::kind::list: {
            boost::json::array all;
            for (const node& item : n.items) all.push_back(json_of(item));
            return all;
        }
        case node::kind::map: {
            boost::json::object all;
            for (const auto& m : n.members) all[m.key] = json_of(m.value);
            return all;
        }
        }
        return nullptr;
    }

    agent agent_of(const node* n) const
    {
        agent who;
        who.name = "an-agent";
        who.owner.name = "nobody";
        if (!n) return who;
        only(*n, {"name", "class", "owner", "labels"});
        who.name = text_or(*n, "name", who.name);
        if (const auto* cls = n->find("class")) {
            const auto named = agent_class_named(text_of(cls->value));
            if (!named) refuse(cls->value, "the class is personal, consumer, workforce or digital-worker");
            who.cls = *named;
        }
        if (const auto* owner = n->find("owner")) {
            const auto parsed = owner_name::parse(text_of(owner->value));
            if (!parsed) refuse(owner->value, "the owner is a handle, or team:NAME");
            who.owner = *parsed;
        }
        if (const auto* labels = n->find("labels"))
            for (const auto& m : labels->value.members) who.labels[m.key] = text_of(m.value);
        return who;
    }

    judged_request request_of(const node& n) const
    {
        only(n, {"method", "path", "host", "headers", "body"});
        judged_request request;
        request.method = text_or(n, "method", "GET");
        request.target = text_of(need(n, "path"));
        request.host = text_or(n, "host", "gateway.example");
        bool typed = false;
        if (const auto* headers = n.find("headers")) {
            if (headers->value.kind != node::kind::map) refuse(headers->value, "a map is wanted here");
            for (const auto& m : headers->value.members) {
                typed = typed || same_ignoring_case(m.key, "content-type");
                request.headers.emplace_back(m.key, text_of(m.value));
            }
        }
        if (const auto* body = n.find("body"); body && body->value.kind != node::kind::null) {
            const bool text = body->value.kind == node::kind::scalar;
            request.body = text ? body->value.text : boost::json::serialize(json_of(body->value));
            if (!typed) request.headers.emplace_back("Content-Type", "application/json");
        }
        return request;
    }

    std::optional<policy::task_facts> task_of(const node* n) const
    {
        if (!n || n->kind == node::kind::null) return std::nullopt;
        only(*n, {"id", "intent", "scopes"});
        policy::task_facts task;
        task.id = text_or(*n, "id", "");
        task.intent = text_or(*n, "intent", "");
        if (const auto* scopes = n->find("scopes"))
            for (const node& s : list_of(scopes->value)) task.scopes.push_back(text_of(s));
        return task;
    }

    policy_case one_case(const node& n) const
    {
        only(n, {"name", "agent", "task", "request", "now", "expect"});
        policy_case c;
        c.line = document_.at(n.begin).line;
        c.name = text_of(need(n, "name"));
        const auto value = [&](std::string_view key) { return n.find(key) ? &n.find(key)->value : nullptr; };
        c.agent = agent_of(value("agent"));
        c.task = task_of(value("task"));
        c.request = request_of(need(n, "request"));
        c.now = local_now();
        if (const node* now = value("now")) {
            const auto at = parse_rfc3339(text_of(*now));
            if (!at) refuse(*now, "now is an RFC 3339 time");
            c.now = *at;
        }
        const node& expect = need(n, "expect");
        only(expect, {"verdict", "rules"});
        c.verdict = text_of(need(expect, "verdict"));
        if (!verdict_named(c.verdict)) refuse(need(expect, "verdict"), "the verdict is allow, hold or deny");
        if (const auto* rules = expect.find("rules")) {
            c.has_rules = true;
            for (const node& r : list_of(rules->value)) c.rules.push_back(text_of(r));
        }
        return c;
    }

    const config::yaml::document& document_;
};

std::string placed(const std::filesystem::path& file, config::yaml::position at, const std::string& message)
{
    return file.string() + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": " + message;
}

std::string joined(std::vector<std::string> names)
{
    std::sort(names.begin(), names.end());
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return "[" + text + "]";
}

}  // namespace

std::vector<std::filesystem::path> case_files(const std::filesystem::path& directory)
{
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(directory, error)) {
        const std::string name = file.path().filename().string();
        if (!name.starts_with('.') && (name.ends_with(".test.yaml") || name.ends_with(".test.yml"))) files.push_back(file.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

result<std::vector<policy_case>> read_cases(const std::filesystem::path& file)
{
    std::vector<config::yaml::mistake> mistakes;
    const auto document = config::yaml::document::parse(read_file(file), mistakes);
    if (!mistakes.empty()) return fail(problem::invalid_input, placed(file, mistakes.front().where, mistakes.front().message));
    if (!document) return fail(problem::invalid_input, file.string() + ": not YAML");
    try {
        return case_reader(*document).cases();
    } catch (const case_reader::wrong& w) {
        return fail(problem::invalid_input, placed(file, w.at, w.message));
    }
}

std::string run_case(const config::configuration& config, const credential_fields& credentials, const policy_case& c)
{
    const auto verdict = judge(config, credentials, c.request, c.agent, c.task ? &*c.task : nullptr, c.now);
    if (!verdict)
        return "expected " + c.verdict + ", but the request is refused: " + std::string(facts(verdict.error().what).name) + ": " +
               verdict.error().detail;
    if (name_of(verdict->kind) != c.verdict) return "expected " + c.verdict + ", saw " + std::string(name_of(verdict->kind));
    if (!c.has_rules) return {};
    std::vector<std::string> spoke;
    for (const reason& r : verdict->reasons) spoke.push_back(r.rule);
    const std::string wanted = joined(c.rules), seen = joined(std::move(spoke));
    return wanted == seen ? std::string() : "expected the rules " + wanted + ", saw " + seen;
}

}  // namespace sallyport::command_line
