#include "gateway/policy/call_body.hpp"

#include "gateway/canonical/field.hpp"

#include <algorithm>

namespace sallyport::policy {
namespace {

std::string_view trimmed(std::string_view text) noexcept
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_json_type(std::string_view type) noexcept
{
    constexpr std::string_view suffix = "+json";
    if (same_ignoring_case(type, "application/json")) return true;
    return type.size() > suffix.size() && type.find('/') != std::string_view::npos &&
           same_ignoring_case(type.substr(type.size() - suffix.size()), suffix);
}

// Any charset parameter must say UTF-8; other parameters mean nothing to JSON (RFC 8259 §11).
bool in_utf8(std::string_view parameters) noexcept
{
    while (!parameters.empty()) {
        const auto end = std::min(parameters.find(';'), parameters.size());
        const auto parameter = trimmed(parameters.substr(0, end));
        parameters.remove_prefix(std::min(end + 1, parameters.size()));
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos || !same_ignoring_case(trimmed(parameter.substr(0, equals)), "charset")) continue;
        auto value = trimmed(parameter.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
        if (!same_ignoring_case(value, "utf-8")) return false;
    }
    return true;
}

}  // namespace

bool is_json(std::span<const header> headers) noexcept
{
    const header* type = nullptr;
    for (const header& h : headers) {
        if (h.name == "content-encoding") return false;
        if (h.name != "content-type") continue;
        if (type) return false;  // two types: nobody knows which one the upstream believes
        type = &h;
    }
    if (!type) return false;
    const auto end = std::min(type->value.find(';'), type->value.size());
    return is_json_type(trimmed(type->value.substr(0, end))) && in_utf8(type->value.substr(std::min(end + 1, type->value.size())));
}

result<std::optional<json::document>> read_body(std::span<const header> headers, std::string_view body)
{
    if (body.empty() || !is_json(headers)) return std::optional<json::document>();
    auto parsed = json::document::parse(body);
    if (!parsed) return parsed.error();
    return std::optional<json::document>(std::move(*parsed));
}

}  // namespace sallyport::policy
