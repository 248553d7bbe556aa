// One mail of one notice, as SMTP's DATA takes it: header fields, then the letter as plain text and as HTML.
#pragma once

#include "notifiers/mail_text.hpp"
#include "notifiers/notice.hpp"
#include "workflows/time.hpp"

#include <string>
#include <string_view>

namespace sallyport::notifiers {

/// `<hld_….…@domain>`. Of what asks: the same for each notice of that hold to that person, so that what follows can refer to it
/// without its having been kept. Of what follows: the same for each attempt at that notice.
std::string message_id(const notice&, std::string_view domain);

/// Of a notice that is for somebody. Lines end with CRLF and are ASCII. `Date` is when it was composed.
std::string mail_message(const notice&, const mailbox& from, std::string_view public_url);

}  // namespace sallyport::notifiers
