// Signing in by OpenID Connect (code flow, PKCE): the way to the provider and the way back. Both are navigations of a browser,
// so whatever goes wrong ends on the sign-in page, under a name that it has words for; the cause is in the operator's log.
//
// Nobody is made by signing in: an account of the provider's is linked to a person who was invited, by an address that the
// provider calls verified, or is refused.
#pragma once

#include "gateway/http/core.hpp"
#include "gateway/openid/client.hpp"
#include "gateway/people/call.hpp"
#include "gateway/people/context.hpp"
#include "storage/transaction.hpp"

#include <string>
#include <string_view>

namespace sallyport::people {

inline constexpr std::string_view openid_path = "/login/oidc";
inline constexpr std::string_view openid_callback_path = "/login/oidc/callback";
inline constexpr std::string_view attempt_cookie = "sallyport_login";

class openid_door {
public:
    explicit openid_door(const people_context& context) noexcept : context_(context) {}

    /// `GET /login/oidc?next=…`: to the provider.
    http::awaitable<reply> begin(http::core&, const call&);
    /// `GET /login/oidc/callback`: back, with a code or a refusal. `attempt`: the cookie's value.
    http::awaitable<reply> finish(http::core&, const call&, std::string attempt);

private:
    http::awaitable<result<time_point>> now(http::core&);
    http::awaitable<result<reply>> signed_in(http::core&, const call&, std::string attempt);

    const people_context& context_;
};

/// The account's person, their teams, a session: all of it or nothing. `not_permitted` when it is nobody's here; `expired` when
/// this attempt was used before.
result<reply> enter(storage::transaction&, const call&, const openid::attempt&, const openid::account&);

}  // namespace sallyport::people
