// Text as mail carries it: lines of ASCII, at most 76 characters where they can be broken (RFC 5322 §2.1.1, RFC 2045 §6.7,
// RFC 2047 §2). Whatever is put in, no line ends but where these functions end it.
#pragma once

#include "workflows/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::notifiers {

/// Valid UTF-8 on one line: each run of blanks and line breaks is one space, none at the ends; controls, what turns the
/// reading direction and bytes that are no UTF-8 are U+FFFD.
std::string one_line(std::string_view);

/// What the text ends with where something is missing.
inline constexpr std::string_view cut_mark = "… [cut]";

/// `one_line`, of at most `most` characters, `cut_mark` included; `cut` becomes true where it was needed.
std::string shortened(std::string_view, std::size_t most, bool& cut);

struct mailbox {
    std::string name;  // as people read it; may be empty
    std::string address;
};

/// `local@domain` of visible ASCII without quoting: what neither SMTP nor a header field reads as anything else.
bool is_mail_address(std::string_view) noexcept;

/// `local@domain`, or `Name <local@domain>`, the name with or without quotes.
std::optional<mailbox> read_mailbox(std::string_view);

/// `Name: text` and CRLF: as it is where that is ASCII, else by encoded words; folded.
std::string text_field(std::string_view name, std::string_view text);

/// `Name: "Ada Lovelace" <ada@example.com>` and CRLF.
std::string mailbox_field(std::string_view name, const mailbox&);

/// `Mon, 05 Jan 2026 09:00:00 +0000`.
std::string mail_date(time_point);

/// `text`, whose lines end with LF, as quoted-printable lines that end with CRLF.
std::string quoted_printable(std::string_view text);

}  // namespace sallyport::notifiers
