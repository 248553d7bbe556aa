#include "gateway/openid/id_token.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace sallyport::openid {
namespace {

failure refused(std::string cause) { return fail(problem::unauthenticated, {}, "the ID token " + std::move(cause)); }

bool same(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

bool is_subject(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= longest_subject &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

result<std::string> check_id_token(const jose::jwt& token, const expected_claims& expected, time_point now)
{
    if (token.text_claim("iss") != expected.issuer) return refused("is of another issuer");
    if (!token.has_audience(expected.client_id)) return refused("is for another client");
    // Who was authorized must be said as soon as there is a choice, and must be us.
    const auto azp = token.text_claim("azp");
    if (token.claims().find("azp") != nullptr && azp != expected.client_id) return refused("was given to another client");
    if (token.audiences() > 1 && !azp) return refused("has several audiences and no \"azp\"");

    const auto expires = token.time_claim("exp"), issued = token.time_claim("iat");
    if (!expires || !issued) return refused("does not say when it was issued, or when it expires");
    if (now >= *expires + clock_leeway) return refused("has expired");
    if (*issued > now + clock_leeway) return refused("was issued in the future");
    if (*issued < now - oldest_id_token) return refused("was issued long ago");
    if (token.claims().find("nbf") != nullptr) {
        const auto from = token.time_claim("nbf");
        if (!from || *from > now + clock_leeway) return refused("is not valid yet");
    }
    const auto nonce = token.text_claim("nonce");
    if (expected.nonce.empty() || !nonce || !same(*nonce, expected.nonce)) return refused("was made for another sign-in (\"nonce\")");

    const auto subject = token.text_claim("sub");
    if (!subject || !is_subject(*subject)) return refused("has no usable \"sub\"");
    return std::string(*subject);
}

}  // namespace sallyport::openid
