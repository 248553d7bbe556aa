#include "gateway/identity/standing.hpp"

#include "gateway/canonical/field.hpp"
#include "workflows/encoding.hpp"

#include <algorithm>

namespace sallyport::identity {
namespace {

bool is_token(std::string_view name)
{
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
    });
}

// RFC 9110 §5.5, without obs-text: a secret with a line break in it would write fields of its own.
bool is_field_value(std::string_view value)
{
    return !value.empty() && value.front() != ' ' && value.back() != ' ' &&
           std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// What the gateway writes itself cannot be a credential's field.
bool is_reserved(std::string_view lower)
{
    constexpr std::string_view names[] = {
        "host",      "content-length",  "transfer-encoding", "connection", "content-type",    "te",    "trailer", "upgrade", "expect",
        "signature", "signature-input", "content-digest",    "keep-alive", "accept-encoding", "prefer"};
    return lower.starts_with("sallyport-") || lower.starts_with("proxy-") ||
           std::find(std::begin(names), std::end(names), lower) != std::end(names);
}

}  // namespace

result<credential> make_credential(std::string_view type, std::string_view header, std::string_view stored)
{
    credential made;
    made.header = "authorization";
    if (type == "header") {
        if (!is_token(header)) return fail(problem::invalid_input, "The type header needs --header NAME, a field name.");
        made.header.assign(header);
        std::transform(made.header.begin(), made.header.end(), made.header.begin(), lower);
        if (is_reserved(made.header)) return fail(problem::invalid_input, "The field " + made.header + " cannot carry a credential.");
        made.value = secret(std::string(stored));
    } else if (type == "bearer") {
        made.value = secret("Bearer " + std::string(stored));
    } else if (type == "basic") {
        if (stored.find(':') == std::string_view::npos) return fail(problem::invalid_input, "A basic credential is user:password.");
        made.value = secret("Basic " + base64(stored));
    } else {
        return fail(problem::invalid_input, "The type is header, bearer or basic.");
    }
    if (type != "header" && !header.empty()) return fail(problem::invalid_input, "Only the type header takes --header.");
    if (!is_field_value(made.value.reveal()))
        return fail(problem::invalid_input, "The secret must be one line of visible ASCII characters.");
    made.forms = forward::credential_forms(made.value.reveal(), stored);
    return made;
}

const credential* standing::credential_of(const config::route& route) const noexcept
{
    const auto found = credentials->find(route.credential);
    return found == credentials->end() ? nullptr : &found->second;
}

std::shared_ptr<const arrangements> arrangements_of(const config::snapshot& config)
{
    return {config, config ? &config->arranged : nullptr};
}

standings::standings(config::snapshot config)
{
    auto first = std::make_shared<standing>();
    first->config = std::move(config);
    first->directory = std::make_shared<const sallyport::directory>(sallyport::directory().with(arrangements_of(first->config)));
    first->credentials = std::make_shared<const identity::credential_map>();
    first->version = 1;
    current_ = std::move(first);
}

standing_ptr standings::current() const
{
    const std::lock_guard lock(mutex_);
    return current_;
}

void standings::changed(const std::function<void(standing&)>& change)
{
    const std::lock_guard one(publishing_);
    auto next = std::make_shared<standing>(*current());
    change(*next);
    // What is asked and who is on call for it are of one configuration.
    if (auto arranged = arrangements_of(next->config); next->directory->arranged() != arranged)
        next->directory = std::make_shared<const sallyport::directory>(next->directory->with(std::move(arranged)));
    ++next->version;
    {
        const std::lock_guard lock(mutex_);
        current_ = next;
    }
    for (const listener& tell : listeners_) tell(next);
}

void standings::publish(config::snapshot config)
{
    changed([&](standing& s) { s.config = std::move(config); });
}

void standings::publish(std::shared_ptr<const sallyport::directory> directory, std::shared_ptr<const identity::credential_map> credentials)
{
    changed([&](standing& s) {
        s.directory = std::move(directory);
        s.credentials = std::move(credentials);
    });
}

void standings::subscribe(listener tell)
{
    const std::lock_guard one(publishing_);
    tell(current());
    listeners_.push_back(std::move(tell));
}

}  // namespace sallyport::identity
