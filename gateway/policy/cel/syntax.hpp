// What an expression says, as a tree (cel-spec, langdef.md "Syntax"). Macros are already what they stand for. Made by
// the parser, completed by the checker, read by the planner; needed only while a configuration loads.
#pragma once

#include "gateway/policy/cel/types.hpp"
#include "gateway/policy/cel/value.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::policy::cel {

/// What is wrong with an expression, and where: bytes from its beginning.
struct mistake {
    std::size_t offset = 0;
    std::string message;
};

struct overload;  // functions.hpp

enum class expression_kind : std::uint8_t {
    constant,
    identifier,
    select,     // arguments[0].name
    call,       // name(arguments…), or arguments[0].name(…)
    list,       // arguments; some may be optional
    map,        // key, content, key, content…
    construct,  // a message `name{…}`: parsed, never known
    fold,       // a comprehension: range, filter or null, predicate or transformation [, content]
    unwrap,     // optMap, optFlatMap: the optional, the transformation
    bind,       // cel.bind: the value, the expression
};

enum class fold_kind : std::uint8_t { all, exists, exists_one, list, map, map_entries };

/// What a name turned out to mean.
enum class reference : std::uint8_t { unknown, variable, local, type_name };

struct expression {
    expression_kind kind = expression_kind::constant;
    std::size_t offset = 0;  // of the token that a message points at: an operator, a name, a literal
    std::size_t begin = 0;   // of the expression's first token
    unsigned depth = 1;      // levels below and including this one
    std::string_view name;   // as selected or called; without a leading dot
    value constant;
    std::vector<expression*> arguments;
    std::vector<bool> optional_arguments;  // of a list or map: `[?x]`, `{?k: v}` by argument; empty when there is none

    bool absolute = false;  // `.name`: not a local one
    bool method = false;    // the first argument stands before the dot
    bool test = false;      // has()
    bool optional = false;  // `.?name`
    bool flat = false;      // optFlatMap
    fold_kind fold = fold_kind::all;
    std::string_view local, second_local;  // names bound by fold, unwrap and bind; the second may be empty

    // By the checker:
    const type* result = &types::dyn;
    reference means = reference::unknown;
    std::uint32_t slot = 0;               // of a variable or a local
    std::span<const overload> overloads;  // those of that name
};

struct syntax_tree {
    syntax_tree() = default;
    syntax_tree(syntax_tree&&) noexcept = default;
    syntax_tree& operator=(syntax_tree&&) noexcept = default;
    syntax_tree(const syntax_tree&) = delete;
    syntax_tree& operator=(const syntax_tree&) = delete;
    ~syntax_tree() = default;

    std::deque<expression> expressions;
    std::deque<std::string> texts;  // the source first, then decoded literals; views into them stay good when it moves
    expression* root = nullptr;
};

}  // namespace sallyport::policy::cel
