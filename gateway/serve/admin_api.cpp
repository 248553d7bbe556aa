#include "gateway/serve/admin_api.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/identity/form.hpp"
#include "gateway/log/log.hpp"
#include "gateway/serve/admin_request.hpp"
#include "gateway/serve/answers.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace sallyport::serve {
namespace {

constexpr std::uint64_t longest_body = 1 << 20;

result<admin_request> take_apart(const http::request_head& head)
{
    admin_request request;
    request.method = head.method;
    std::string_view target = head.target;
    const auto question = std::min(target.find('?'), target.size());
    auto path = target.substr(0, question);
    auto query = identity::parse_form(target.substr(std::min(question + 1, target.size())));
    if (!query) return fail(problem::malformed_request, "The query is malformed.");
    request.query = std::move(*query);
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto end = std::min(path.find('/'), path.size());
        // A segment is decoded as the value of a form's parameter: the same escapes, and `+` does not occur.
        auto segment = identity::parse_form("s=" + std::string(path.substr(0, end)));
        if (!segment) return fail(problem::malformed_request, "The path is malformed.");
        request.path.push_back(segment->at("s"));
        path.remove_prefix(end);
    }
    return request;
}

admin_answer answer(services& all, const admin_request& request)
{
    for (const auto resource : {&admin_agents, &admin_people, &admin_credentials, &admin_holds, &admin_grants, &admin_audit})
        if (auto answered = resource(all, request)) return std::move(*answered);
    return fail(problem::not_found, "The administrator's API has no such resource.");
}

}  // namespace

std::string admin_request::text(std::string_view name) const
{
    const json::value* member = body ? body->root().find(name) : nullptr;
    return member ? std::string(member->string()) : std::string();
}

std::string_view admin_request::given(std::string_view name) const
{
    const auto found = query.find(name);
    return found == query.end() ? std::string_view() : std::string_view(found->second);
}

bool admin_request::flag(std::string_view name) const
{
    const json::value* member = body ? body->root().find(name) : nullptr;
    return member && member->boolean();
}

std::vector<std::string> admin_request::texts(std::string_view name) const
{
    std::vector<std::string> all;
    const json::value* member = body ? body->root().find(name) : nullptr;
    for (std::size_t i = 0; member && i < member->size(); ++i) all.emplace_back(member->at(i).string());
    return all;
}

result<void> admin_request::only(std::initializer_list<std::string_view> names) const
{
    if (!body) return {};
    const json::value& root = body->root();
    if (!root.is(json::kind::object)) return fail(problem::invalid_input, "The body must be a JSON object.");
    for (std::size_t i = 0; i < root.size(); ++i)
        if (std::find(names.begin(), names.end(), root.key(i)) == names.end())
            return fail(problem::invalid_input, "The body has an unknown member.");
    return {};
}

bool admin_request::is(std::string_view verb, std::initializer_list<std::string_view> segments) const
{
    return method == verb &&
           std::equal(segments.begin(), segments.end(), path.begin(), path.end(),
                      [](std::string_view pattern, const std::string& segment) { return pattern == "*" || pattern == segment; });
}

storage::audit_entry admin_entry(storage::transaction& tx, std::string_view act, boost::json::object data)
{
    data["act"] = act;
    storage::audit_entry entry;
    entry.at = tx.now();
    entry.kind = "admin";
    entry.data = jcs(data);
    return entry;
}

http::awaitable<void> serve_admin(services& all, http::exchange& x)
{
    auto request = take_apart(x.head());
    if (!request) {
        co_await answer_problem(x, request.error());
        co_return;
    }
    const auto bytes = co_await x.read_body(longest_body);
    if (!bytes) {
        co_await answer_problem(x, bytes.error());
        co_return;
    }
    if (!bytes->empty()) {
        auto body = json::document::parse(*bytes);
        if (!body) {
            co_await answer_problem(x, body.error());
            co_return;
        }
        request->body = std::move(*body);
    }
    const admin_answer answered = answer(all, *request);
    if (answered) {
        const std::string body = boost::json::serialize(*answered);
        co_await answer_json(x, 200, body);
        co_return;
    }
    if (answered.error().what == problem::internal_error) log::error("administration failed", {{"cause", answered.error().cause}});
    co_await answer_problem(x, answered.error());
}

}  // namespace sallyport::serve
