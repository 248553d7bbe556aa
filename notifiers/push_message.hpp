// What a push message says, and its encryption to one browser: RFC 8291 over the content coding aes128gcm (RFC 8188). The service
// in between sees its length, which is the same for all, and when it was sent. Pure, but for the random bytes of
// `encrypt_push`.
#pragma once

#include "notifiers/notice.hpp"
#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::notifiers {

/// The JSON that the pages' service worker reads. It is shown on screens that are locked: who asks, by the name that an
/// operator gave, never what is asked, nor the agent's or a person's words.
std::string push_payload(const notice&);

/// `invalid_input`: not such bytes, or no point of the curve.
result<void> check_push_keys(const push_keys&);

/// What is drawn anew for each message.
struct push_chance {
    secret private_key;  // 32 bytes, a scalar of P-256
    std::string salt;    // 16 bytes
};

inline constexpr std::size_t longest_push_text = 3000;  // bytes: services take 4096 with all that surrounds it (RFC 8030 §7.2)

/// The body for `Content-Encoding: aes128gcm`: one record, in which the text is followed by zeros until it is `padded_to` long.
/// `invalid_input` for keys that are none, and what is too long.
result<std::string> encrypt_push(std::string_view text, const push_keys&, const push_chance&, std::size_t padded_to);
result<std::string> encrypt_push(std::string_view text, const push_keys&, std::size_t padded_to);

}  // namespace sallyport::notifiers
