#include "gateway/identity/token_cache.hpp"

#include "gateway/canonical/keyed_hash.hpp"

#include <algorithm>
#include <cstring>

namespace sallyport::identity {
namespace {

// In time that depends on the length alone, so that a guess cannot be improved byte by byte. Eight bytes at a time:
// CRYPTO_memcmp takes five times as long for a token of 900 bytes.
bool same(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size()) return false;
    std::uint64_t differing = 0;
    std::size_t i = 0;
    for (; i + 8 <= a.size(); i += 8) {
        std::uint64_t x, y;
        std::memcpy(&x, a.data() + i, 8);
        std::memcpy(&y, b.data() + i, 8);
        differing |= x ^ y;
    }
    for (; i < a.size(); ++i) differing |= static_cast<unsigned char>(a[i] ^ b[i]);
    return differing == 0;
}

}  // namespace

token_cache::token_cache(std::size_t sets) : sets_(sets) {}

token_cache::set& token_cache::set_of(std::string_view token) noexcept
{
    // The end of the signature is as good as random for tokens of ours; the key is for those of others.
    const auto tail = token.substr(token.size() > 32 ? token.size() - 32 : 0);
    return sets_[keyed_hash::of_process()(tail) & (sets_.size() - 1)];
}

std::shared_ptr<const claims> token_cache::find(std::string_view token, std::uint64_t version, time_point now) noexcept
{
    for (auto& e : set_of(token).entries) {
        if (!e || !same(e->token, token)) continue;
        if (e->version != version || e->claims->expires_at <= now) return nullptr;
        e->used = ++clock_;
        return e->claims;
    }
    return nullptr;
}

std::shared_ptr<const claims> token_cache::remember(std::string_view token, std::uint64_t version, claims c)
{
    auto& entries = set_of(token).entries;
    auto place = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e && e->token == token; });
    if (place == entries.end())
        place = std::min_element(entries.begin(), entries.end(),
                                 [](const auto& a, const auto& b) { return (a ? a->used : 0) < (b ? b->used : 0); });
    *place = std::make_unique<entry>(entry{std::string(token), version, ++clock_, std::make_shared<const claims>(std::move(c))});
    return (*place)->claims;
}

}  // namespace sallyport::identity
