#include "gateway/identity/signing_keys.hpp"

#include "storage/key_store.hpp"

#include <algorithm>

namespace sallyport::identity {
namespace {

constexpr std::string_view token_purpose = "token";
constexpr std::string_view receipt_purpose = "receipt";
constexpr std::string_view checkpoint_purpose = "checkpoint";
constexpr std::string_view push_purpose = "push";

std::string associated(std::string_view kid) { return "signing-key:" + std::string(kid); }

result<jose::private_key> opened(const storage::signing_key& stored, const keyring& keys)
{
    auto pem = keys.open(stored.sealed, associated(stored.kid));
    if (!pem)
        return fail(problem::internal_error, "The gateway's signing key cannot be opened.", "key " + stored.kid + ": " + pem.error().cause);
    const secret text(std::move(*pem));
    return jose::private_key::from_pem(text.reveal());
}

result<jose::private_key> load_or_make(storage::database& db, const keyring& keys, std::string_view purpose, jose::key_type type)
{
    auto fresh = jose::private_key::generate(type);
    if (!fresh) return fresh.error();
    storage::signing_key made;
    made.kid = fresh->kid();
    made.purpose = purpose;
    made.alg = jose::name_of(fresh->alg());
    made.jwk = fresh->public_half().jwk();
    const secret pem = fresh->pem();
    made.sealed = keys.seal(pem.reveal(), associated(made.kid));
    auto active = db.run_blocking([made](storage::transaction& tx) { return storage::key_store::add_first(tx, made); });
    if (!active) return active.error();
    return opened(*active, keys);
}

}  // namespace

result<signing_keys> signing_keys::load(storage::database& db, const keyring& keys)
{
    auto token = load_or_make(db, keys, token_purpose, jose::key_type::p256);
    if (!token) return token.error();
    auto receipt = load_or_make(db, keys, receipt_purpose, jose::key_type::ed25519);
    if (!receipt) return receipt.error();
    auto checkpoint = load_or_make(db, keys, checkpoint_purpose, jose::key_type::ed25519);
    if (!checkpoint) return checkpoint.error();
    auto push = load_or_make(db, keys, push_purpose, jose::key_type::p256);
    if (!push) return push.error();

    auto all = db.run_blocking([](storage::transaction& tx) { return storage::key_store::load(tx); });
    if (!all) return all.error();

    signing_keys loaded(std::move(*token), std::move(*receipt), std::move(*checkpoint), std::move(*push));
    std::vector<jose::public_key> published;
    for (const storage::signing_key& key : *all) {
        if (key.purpose == checkpoint_purpose || key.purpose == push_purpose) continue;
        auto half = jose::public_key::from_jwk(std::string_view(key.jwk));
        if (!half) return half.error();
        if (key.purpose == token_purpose) loaded.token_keys_.push_back(*half);
        published.push_back(std::move(*half));
    }
    loaded.jwks_ = jose::jwk_set(published);
    return loaded;
}

const jose::public_key* signing_keys::token_key(std::string_view kid) const noexcept
{
    const auto found = std::find_if(token_keys_.begin(), token_keys_.end(), [&](const jose::public_key& k) { return k.kid() == kid; });
    return found == token_keys_.end() ? nullptr : &*found;
}

}  // namespace sallyport::identity
