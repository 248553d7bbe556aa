#include "gateway/jose/random.hpp"

#include "workflows/encoding.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace sallyport {

void fill_random(std::span<std::uint8_t> to)
{
    // RAND_bytes takes an int.
    constexpr std::size_t at_once = 1 << 20;
    for (; !to.empty(); to = to.subspan(std::min(at_once, to.size()))) {
        if (RAND_bytes(to.data(), static_cast<int>(std::min(at_once, to.size()))) != 1)
            throw std::runtime_error("OpenSSL gave no random bytes");
    }
}

std::string random_bytes(std::size_t count)
{
    std::string bytes(count, '\0');
    fill_random({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    return bytes;
}

std::string random_text(std::size_t bytes) { return base64url(random_bytes(bytes)); }

std::array<std::uint8_t, 10> random10()
{
    // RAND_bytes takes a microsecond whatever the amount. What is drawn ahead becomes parts of ids, which are no secrets;
    // what was handed out is wiped all the same, and a forked child would draw the same, but nothing here forks.
    struct batch {
        std::array<std::uint8_t, 1000> bytes;
        std::size_t used = sizeof bytes;
    };
    static thread_local batch mine;
    if (mine.used == mine.bytes.size()) {
        fill_random(mine.bytes);
        mine.used = 0;
    }
    std::array<std::uint8_t, 10> random;
    std::copy_n(mine.bytes.begin() + static_cast<std::ptrdiff_t>(mine.used), random.size(), random.begin());
    OPENSSL_cleanse(mine.bytes.data() + mine.used, random.size());
    mine.used += random.size();
    return random;
}

}  // namespace sallyport
