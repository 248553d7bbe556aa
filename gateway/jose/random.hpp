// Random bytes from OpenSSL's generator. Any thread. Throws std::runtime_error if there are none: nothing may go on then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace sallyport {

void fill_random(std::span<std::uint8_t>);
std::string random_bytes(std::size_t count);
/// `bytes` random bytes as base64url: nonces, codes, `jti`.
std::string random_text(std::size_t bytes);
/// For `id::make`. Drawn in batches: cheap enough for every call.
std::array<std::uint8_t, 10> random10();

}  // namespace sallyport
