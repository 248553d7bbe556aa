#include "gateway/jose/jwt.hpp"

#include "gateway/canonical/field.hpp"
#include "gateway/canonical/jcs.hpp"
#include "workflows/encoding.hpp"

#include <chrono>
#include <cmath>

namespace sallyport::jose {
namespace {

failure refused(std::string detail) { return fail(problem::unauthenticated, std::move(detail)); }

constexpr double most_seconds = 253402300799;  // 9999-12-31T23:59:59Z

}  // namespace

result<jwt> jwt::parse(std::string_view compact)
{
    if (compact.size() > limit) return refused("the token is too large");
    const std::size_t first = compact.find('.');
    const std::size_t second = first == compact.npos ? first : compact.find('.', first + 1);
    if (second == compact.npos || compact.find('.', second + 1) != compact.npos) return refused("the token is not three parts");
    auto header = read_base64url(compact.substr(0, first));
    auto claims = read_base64url(compact.substr(first + 1, second - first - 1));
    auto signature = read_base64url(compact.substr(second + 1));
    if (!header || !claims || !signature || signature->empty()) return refused("the token's parts are not base64url");

    auto p = std::make_unique<parts>();
    p->signing_input = compact.substr(0, second);
    p->header_text = std::move(*header);
    p->claims_text = std::move(*claims);
    p->signature = std::move(*signature);

    auto header_document = json::document::parse(p->header_text);
    if (!header_document || !header_document->root().is(json::kind::object)) return refused("the token's header is no JSON object");
    p->header.emplace(std::move(*header_document));
    const json::value& h = p->header->root();
    // RFC 7515 §4.1.11: what we do not understand we must not accept; we understand no extension.
    if (h.find("crit") != nullptr) return refused("the token's header has \"crit\"");
    if (h.find("b64") != nullptr) return refused("the token's header has \"b64\"");
    const json::value* alg = h.find("alg");
    const auto known = alg != nullptr ? algorithm_named(alg->string()) : std::nullopt;
    if (!known) return refused("the token's algorithm is none of ES256, EdDSA, Ed25519, RS256 and PS256");
    p->alg = *known;
    if (const json::value* kid = h.find("kid")) {
        if (!kid->is(json::kind::string) || kid->string().empty()) return refused("the token's \"kid\" is no text");
        p->kid = kid->string();
    }
    if (const json::value* typ = h.find("typ")) {
        if (!typ->is(json::kind::string)) return refused("the token's \"typ\" is no text");
        p->typ = typ->string();
    }
    auto claims_document = json::document::parse(p->claims_text);
    if (!claims_document || !claims_document->root().is(json::kind::object)) return refused("the token's claims are no JSON object");
    p->claims.emplace(std::move(*claims_document));
    return jwt(std::move(p));
}

bool jwt::has_typ(std::string_view type) const noexcept
{
    constexpr std::string_view application = "application/";
    const auto bare = [&](std::string_view t) {
        return t.size() > application.size() && same_ignoring_case(t.substr(0, application.size()), application)
                   ? t.substr(application.size())
                   : t;
    };
    return same_ignoring_case(bare(parts_->typ), bare(type));
}

bool jwt::signed_by(const public_key& key) const { return key.verify(parts_->alg, parts_->signing_input, parts_->signature); }

std::optional<std::string_view> jwt::text_claim(std::string_view name) const noexcept
{
    const json::value* claim = claims().find(name);
    if (claim == nullptr || !claim->is(json::kind::string)) return std::nullopt;
    return claim->string();
}

std::optional<time_point> jwt::time_claim(std::string_view name) const noexcept
{
    const json::value* claim = claims().find(name);
    if (claim == nullptr || (!claim->is(json::kind::integer) && !claim->is(json::kind::real))) return std::nullopt;
    const double seconds = claim->real();
    if (!(seconds >= 0 && seconds <= most_seconds)) return std::nullopt;
    if (claim->is(json::kind::integer)) return time_point(std::chrono::seconds(claim->integer()));
    return time_point(std::chrono::microseconds(static_cast<std::int64_t>(std::floor(seconds * 1e6))));
}

bool jwt::has_audience(std::string_view wanted) const noexcept
{
    const std::size_t count = audiences();
    if (count == 0) return false;
    const json::value& aud = *claims().find("aud");
    if (aud.is(json::kind::string)) return aud.string() == wanted;
    for (std::size_t i = 0; i < count; ++i) {
        if (aud.at(i).string() == wanted) return true;
    }
    return false;
}

std::size_t jwt::audiences() const noexcept
{
    const json::value* aud = claims().find("aud");
    if (aud == nullptr) return 0;
    if (aud->is(json::kind::string)) return 1;
    if (!aud->is(json::kind::array)) return 0;
    for (std::size_t i = 0; i < aud->size(); ++i) {
        if (!aud->at(i).is(json::kind::string)) return 0;
    }
    return aud->size();
}

std::string sign_compact(const private_key& key, std::string_view typ, std::string_view payload)
{
    std::string header = R"({"alg":")" + std::string(name_of(key.alg())) + R"(","kid":")" + key.kid() + '"';
    if (!typ.empty()) {
        header += ",\"typ\":";
        append_jcs_string(header, typ);
    }
    header += '}';
    std::string compact;
    append_base64url(compact, header);
    compact += '.';
    append_base64url(compact, payload);
    const std::string signature = key.sign(compact);
    compact += '.';
    append_base64url(compact, signature);
    return compact;
}

}  // namespace sallyport::jose
