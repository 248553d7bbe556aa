// An expression ready to be evaluated: compiled once, run by any number of threads at once. For an ordinary condition a
// run allocates nothing.
#pragma once

#include "gateway/policy/cel/checker.hpp"
#include "gateway/policy/cel/environment.hpp"
#include "gateway/policy/cel/functions.hpp"
#include "gateway/policy/cel/syntax.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::policy::cel {

/// Steps that one evaluation may take by default: about two milliseconds at most.
inline constexpr std::int64_t default_work = 200'000;

enum class operation : std::uint8_t {
    constant,
    failure,  // always an error
    variable,
    local,
    select,  // of a value that is only now known
    member,  // of a variable, under a literal key
    has,
    has_member,
    index,
    index_optional,
    select_optional,
    and_,
    or_,
    not_,
    conditional,
    equal,
    not_equal,
    less,
    less_or_equal,
    greater,
    greater_or_equal,
    in,
    or_value,  // optional.orValue(), optional.or()
    or_optional,
    call,
    list,
    map,
    fold_predicate,
    fold_list,
    fold_map,
    unwrap,
    bind,
};

/// One operation; its operands lie one behind the other.
struct node {
    operation op = operation::constant;
    fold_kind fold = fold_kind::all;
    bool flag = false;  // two variables; optMap gives an optional
    bool method = false;
    std::uint32_t first = 0;  // of its operands, in the program
    std::uint32_t count = 0;
    std::uint32_t slot = 0;  // of a variable, or the first local
    std::uint32_t work = 1;  // steps of one round
    value constant;          // a literal, a key, a failure's message
    std::span<const overload> overloads;
    const prepared* ready = nullptr;
    std::span<const char> optional;  // by operand: 1 for `?x`
};

class program {
public:
    /// Of no expression: every run fails.
    program() = default;
    program(program&&) noexcept = default;
    program& operator=(program&&) noexcept = default;
    program(const program&) = delete;  // operations point into it
    program& operator=(const program&) = delete;
    ~program() = default;

    value run(activation&, workspace&) const;

    bool reads(std::uint32_t slot) const noexcept;
    /// Paths of literal names and numbers read below that variable, as JSON pointers (RFC 6901), each once.
    std::vector<std::string> paths_below(std::uint32_t slot) const;
    /// The steps of the path that the whole program is, below that variable: names, and numbers of elements. Null when
    /// it is anything else.
    struct step {
        std::string_view name;
        std::int64_t element = -1;  // when not negative
    };
    const std::vector<step>* sole_path(std::uint32_t slot) const noexcept;

    type_kind result() const noexcept { return result_; }

private:
    friend class planner;
    std::vector<node> nodes_;  // the root first
    std::uint32_t locals_ = 0;
    std::deque<std::string> texts_;
    std::deque<std::vector<char>> optional_;
    std::deque<prepared> prepared_;
    struct path {
        std::uint32_t slot;
        std::vector<step> steps;
    };
    std::vector<path> paths_;
    std::vector<std::uint32_t> slots_;
    bool is_path_ = false;  // the whole is paths_.front()
    type_kind result_ = type_kind::dyn;
};

struct compile_options {
    checking mode = checking::enforced;
    /// A literal pattern or zone that is none is a mistake at load; otherwise it fails when it is evaluated.
    bool literals_must_work = true;
    /// The result must be this, or dyn.
    const type* wanted = nullptr;
};

struct compiled {
    std::optional<cel::program> program;  // none when there are mistakes
    std::vector<mistake> mistakes;        // in order of place
};

compiled compile(std::string_view source, const environment&, const compile_options& = {});

}  // namespace sallyport::policy::cel
