// The functions of CEL: one table of overloads, each with its signature, which the checker reads and the evaluator obeys
// (cel-spec, langdef.md "List of Standard Definitions", and the libraries of strings, math and optional values). A new
// function is a line in one of the tables and the function behind it.
#pragma once

#include "gateway/policy/cel/time_zone.hpp"
#include "gateway/policy/cel/types.hpp"
#include "gateway/policy/cel/value.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace sallyport::policy::cel {

/// What is made once, at load, of an argument that is a literal: a pattern or a time zone.
struct prepared {
    std::unique_ptr<re2::RE2> pattern;
    std::optional<time_zone> zone;
    prepared();
    prepared(prepared&&) noexcept;
    ~prepared();
};

/// The arguments have the kinds that the signature names, and none is an error. `ready` may be null.
using implementation = value (*)(workspace&, std::span<const value> arguments, const prepared* ready);

enum class preparation : std::uint8_t { none, pattern, zone };  // of the last argument

struct overload {
    std::string_view name;
    bool method = false;
    std::span<const type* const> parameters = {};  // with the target first
    const type* result = &types::dyn;
    implementation run = nullptr;  // null: the evaluator knows the operator itself
    preparation prepares = preparation::none;
    bool variadic = false;  // any number of arguments, at least one, all of the last parameter's type
};

/// All overloads of that name, methods and others; empty when there is none.
std::span<const overload> find_function(std::string_view name) noexcept;

bool takes(const overload&, std::size_t arguments, bool method) noexcept;
/// Whether the kinds of these values fit the signature.
bool accepts(const overload&, std::span<const value>) noexcept;

/// The parameters of a signature, for the tables.
template <const type&... Types>
inline constexpr std::array<const type*, sizeof...(Types)> takes_of{&Types...};

// The tables.
std::span<const overload> operator_overloads() noexcept;
std::span<const overload> conversion_overloads() noexcept;
std::span<const overload> text_overloads() noexcept;
std::span<const overload> string_library_overloads() noexcept;
std::span<const overload> time_overloads() noexcept;
std::span<const overload> math_overloads() noexcept;
std::span<const overload> optional_overloads() noexcept;

/// A pattern compiled with our limits; null and why when it is none.
std::unique_ptr<re2::RE2> compile_pattern(std::string_view pattern, std::string& wrong);

}  // namespace sallyport::policy::cel
