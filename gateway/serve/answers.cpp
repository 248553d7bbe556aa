#include "gateway/serve/answers.hpp"

#include <array>
#include <string>
#include <vector>

namespace sallyport::serve {
namespace {

constexpr std::string_view challenge = R"(Bearer realm="sallyport", error="invalid_token")";

}  // namespace

http::awaitable<void> answer_json(http::exchange& x, int status, std::string_view body, std::span<const field> more)
{
    std::vector<field> headers{{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
    headers.insert(headers.end(), more.begin(), more.end());
    co_await x.respond(status, headers, body);
}

http::awaitable<void> answer_problem(http::exchange& x, const failure& why, const identity::problem_context& context)
{
    const problem_facts& known = facts(why.what);
    const std::string body = identity::problem_document(why, context);
    const std::string action = context.action ? context.action->text() : std::string();
    const std::string hold = context.hold ? context.hold->text() : std::string();
    std::vector<field> headers{{"Content-Type", identity::problem_media_type}, {"Cache-Control", "no-store"}};
    if (!action.empty()) headers.push_back({"Sallyport-Action", action});
    if (!hold.empty()) headers.push_back({"Sallyport-Hold", hold});
    if (why.what == problem::unauthenticated) headers.push_back({"WWW-Authenticate", challenge});
    if (why.what == problem::overloaded || why.what == problem::storage_unavailable) headers.push_back({"Retry-After", "2"});
    co_await x.respond(known.status, headers, body);
}

void count_refusal(metrics::registry& registry, problem what)
{
    registry.count("sallyport_refusals_total", "Calls that were refused before a verdict.", {{"problem", facts(what).name}}).add();
}

}  // namespace sallyport::serve
