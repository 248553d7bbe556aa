// JSON Web Tokens in the compact form (RFC 7515 §7.1, RFC 7519), read strictly (RFC 8725): at most 16 KiB, canonical
// base64url, JSON without a member twice, an algorithm we know and never `none`, no `crit`, no `b64`, no key from the token.
#pragma once

#include "gateway/canonical/json.hpp"
#include "gateway/jose/key.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::jose {

class jwt {
public:
    static constexpr std::size_t limit = 16 * 1024;  // bytes

    /// The form alone: nothing in it is true before `signed_by`. `unauthenticated` with what is wrong, without the token's
    /// own text. Copies what it needs of `compact`.
    static result<jwt> parse(std::string_view compact);

    algorithm alg() const noexcept { return parts_->alg; }
    std::string_view kid() const noexcept { return parts_->kid; }  // empty: none
    std::string_view typ() const noexcept { return parts_->typ; }  // as written; empty: none
    /// `typ` is that media type, in any case, with or without `application/` (RFC 7515 §4.1.9).
    bool has_typ(std::string_view) const noexcept;
    const json::value& header() const noexcept { return parts_->header->root(); }
    const json::value& claims() const noexcept { return parts_->claims->root(); }  // an object

    /// The algorithm fits the key and the signature is the key's.
    bool signed_by(const public_key&) const;

    /// A claim that is a string; none if it is absent or anything else.
    std::optional<std::string_view> text_claim(std::string_view name) const noexcept;
    /// A NumericDate (RFC 7519 §2), fractions too; none if absent, no number, or not within the years 1970 to 9999.
    std::optional<time_point> time_claim(std::string_view name) const noexcept;
    /// `aud`, a string or a list of strings (§4.1.3), has it.
    bool has_audience(std::string_view) const noexcept;
    /// How many audiences `aud` names; 0 also for one that is neither a string nor a list of strings.
    std::size_t audiences() const noexcept;

private:
    struct parts {
        std::string signing_input, header_text, claims_text, signature;
        std::optional<json::document> header, claims;
        algorithm alg = algorithm::es256;
        std::string_view kid, typ;
    };
    explicit jwt(std::unique_ptr<const parts> p) noexcept : parts_(std::move(p)) {}
    std::unique_ptr<const parts> parts_;  // by address: the documents are views into its texts
};

/// A compact JWS over `payload` (a JSON text), with `alg`, `kid` and, unless empty, `typ` in its header.
std::string sign_compact(const private_key&, std::string_view typ, std::string_view payload);

}  // namespace sallyport::jose
