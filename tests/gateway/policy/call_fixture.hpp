// A call to judge, as tests write it.
#pragma once

#include "gateway/canonical/json.hpp"
#include "gateway/policy/policy.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::policy {

struct test_call {
    std::string method = "POST", host = "api.example", path = "/v1/refunds", query, body_text;
    std::vector<std::pair<std::string, std::string>> fields;
    sallyport::agent agent;
    std::optional<task_facts> task;
    time_point now = parse_rfc3339("2026-03-01T10:30:00Z").value();

    test_call()
    {
        agent.name = "refund-bot";
        agent.cls = agent_class::digital_worker;
        agent.owner = owner_name::parse("team:finance").value();
        agent.labels = {{"tier", "gold"}, {"zone", "eu"}};
    }
    test_call& with_body(std::string text)
    {
        body_text = std::move(text);
        return *this;
    }
    test_call& with_field(std::string name, std::string value)
    {
        fields.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    /// Views into this object, good while it is not changed.
    call_facts facts() const
    {
        headers_.clear();
        for (const auto& [name, value] : fields) headers_.push_back({name, value});
        document_.reset();
        if (!body_text.empty()) document_ = json::document::parse(body_text).value();
        call_facts f;
        f.method = method;
        f.host = host;
        f.path = path;
        f.query = query;
        f.headers = headers_;
        f.body = document_ ? &document_->root() : nullptr;
        f.agent = &agent;
        f.task = task ? &*task : nullptr;
        f.now = now;
        return f;
    }

private:
    mutable std::vector<header> headers_;  // of the views that facts() gave
    mutable std::optional<json::document> document_;
};

inline rule_definition rule(std::string id, std::string when, verdict_kind verdict)
{
    rule_definition d;
    d.id = std::move(id);
    d.routes = {0};
    d.when = std::move(when);
    d.verdict = verdict;
    return d;
}

}  // namespace sallyport::policy
