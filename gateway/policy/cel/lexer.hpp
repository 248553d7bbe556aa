// Tokens of CEL (cel-spec, langdef.md "Syntax"). Literals are decoded here, so that a bad escape is blamed where it stands.
#pragma once

#include "gateway/policy/cel/syntax.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::policy::cel {

enum class token_kind : std::uint8_t {
    end,
    identifier,
    quoted_identifier,  // `content-type` in backquotes
    integer,            // digits, decimal or hexadecimal; its sign is the parser's
    natural,
    real,
    string,
    bytes,
    symbol,   // operators and brackets
    keyword,  // true, false, null, in
};

struct token {
    token_kind kind = token_kind::end;
    std::size_t offset = 0;
    std::string_view text;  // as written; of literals of text: decoded; of an unsigned integer without `u`

    bool is(std::string_view symbol) const noexcept
    {
        return (kind == token_kind::symbol || kind == token_kind::keyword) && text == symbol;
    }
};

/// The tokens of `source`, ending with `end`; decoded literals are kept in `texts`. On a mistake nothing.
std::optional<std::vector<token>> scan(std::string_view source, std::deque<std::string>& texts, mistake&);

}  // namespace sallyport::policy::cel
