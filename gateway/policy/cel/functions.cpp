#include "gateway/policy/cel/functions.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace sallyport::policy::cel {
namespace {

const std::vector<overload>& table()
{
    static const std::vector<overload> all = [] {
        std::vector<overload> merged;
        for (const auto part : {operator_overloads(), conversion_overloads(), text_overloads(), string_library_overloads(),
                                time_overloads(), math_overloads(), optional_overloads()})
            merged.insert(merged.end(), part.begin(), part.end());
        std::ranges::stable_sort(merged, {}, &overload::name);
        return merged;
    }();
    return all;
}

bool fits(const type& parameter, const value& v) noexcept
{
    switch (parameter.kind) {
    case type_kind::dyn:
    case type_kind::parameter: return true;
    case type_kind::null: return v.is(kind::null);
    case type_kind::boolean: return v.is(kind::boolean);
    case type_kind::integer: return v.is(kind::integer);
    case type_kind::natural: return v.is(kind::natural);
    case type_kind::real: return v.is(kind::real);
    case type_kind::number: return v.is_number();
    case type_kind::string: return v.is(kind::string);
    case type_kind::bytes: return v.is(kind::bytes);
    case type_kind::duration: return v.is(kind::duration);
    case type_kind::timestamp: return v.is(kind::timestamp);
    case type_kind::type: return v.is(kind::type);
    case type_kind::list: return v.is_list();
    case type_kind::map: return v.is_map();
    case type_kind::optional: return v.is(kind::optional);
    case type_kind::object: return v.is(kind::object);
    }
    return false;
}

}  // namespace

prepared::prepared() = default;
prepared::prepared(prepared&&) noexcept = default;
prepared::~prepared() = default;

std::span<const overload> find_function(std::string_view name) noexcept
{
    const auto found = std::ranges::equal_range(table(), name, {}, &overload::name);
    return {found.begin(), found.end()};
}

bool takes(const overload& o, std::size_t arguments, bool method) noexcept
{
    if (o.method != method) return false;
    return o.variadic ? arguments >= o.parameters.size() : arguments == o.parameters.size();
}

bool accepts(const overload& o, std::span<const value> arguments) noexcept
{
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (!fits(*o.parameters[std::min(i, o.parameters.size() - 1)], arguments[i])) return false;
    return true;
}

std::unique_ptr<re2::RE2> compile_pattern(std::string_view pattern, std::string& wrong)
{
    if (pattern.size() > 4096) {
        wrong = "a pattern is longer than 4 KiB";
        return nullptr;
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto compiled = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
    if (!compiled->ok()) {
        wrong = "no regular expression: " + compiled->error();
        return nullptr;
    }
    return compiled;
}

}  // namespace sallyport::policy::cel
