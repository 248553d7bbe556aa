#include "notifiers/web_push.hpp"

#include "notifiers/http_post.hpp"
#include "workflows/encoding.hpp"
#include "workflows/loopback.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

namespace sallyport::notifiers {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_endpoint = 2048, longest_host = 253;
constexpr std::size_t longest_answer = 16 << 10;  // read and forgotten
constexpr std::size_t padded_text = 512;          // every message is as long as any other
constexpr std::size_t topic_bytes = 24;           // 32 characters are the most (RFC 8030 §5.4)
constexpr duration longest_pause = 1h;
constexpr duration first_silence = 5s, longest_silence = 5min;
constexpr int most_at_once = 2;  // of the lane's four threads
constexpr auto outcome_ttl = std::chrono::seconds(24h);

// What follows the scheme up to the path, if it is a name and perhaps a port.
struct authority {
    std::string_view host, port;
};

std::optional<authority> authority_of(std::string_view text)
{
    const auto colon = text.find(':');
    const authority a{text.substr(0, colon), colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1)};
    const auto name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (a.host.empty() || a.host.size() > longest_host || !std::all_of(a.host.begin(), a.host.end(), name)) return std::nullopt;
    if (colon != std::string_view::npos && (a.port.empty() || a.port.size() > 5)) return std::nullopt;
    if (!std::all_of(a.port.begin(), a.port.end(), digit)) return std::nullopt;
    return a;
}

// Of one hold and browser: a later message takes the place of one that the service still keeps. A digest, so that what two people
// are told of one hold has nothing in common.
std::string topic_of(const notice& n)
{
    const std::string text = n.browser->id + ' ' + n.hold.text();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) return {};
    return base64url({reinterpret_cast<const char*>(digest.data()), topic_bytes});
}

// A question is worth nothing once its hold has expired; an outcome takes the place of what the screen still shows.
std::chrono::seconds ttl_of(const notice& n)
{
    if (n.what == notice::kind::ended || n.what == notice::kind::glass_broken) return outcome_ttl;
    return std::max(std::chrono::floor<std::chrono::seconds>(n.expires_at - n.told_at), 0s);
}

delivery of_answer(const http_post_answer& answer)
{
    using kind = not_delivered::kind;
    if (answer.status >= 200 && answer.status < 300) return delivered{};
    kind what = kind::later;
    if (answer.status == 404 || answer.status == 410) what = kind::address;
    if (answer.status == 400 || answer.status == 401 || answer.status == 403 || answer.status == 413) what = kind::never;
    not_delivered why{what, "answered " + std::to_string(answer.status), {}};
    if (answer.retry_after > 0 && what == kind::later)
        why.not_before = std::min<duration>(std::chrono::seconds(answer.retry_after), longest_pause);
    return why;
}

}  // namespace

result<std::string> push_origin(std::string_view endpoint, bool loopback)
{
    const failure none = fail(problem::invalid_input, "The endpoint is not an https URL of a push service.");
    const auto visible = [](char c) { return c > 0x20 && c < 0x7F && c != '\\'; };
    if (endpoint.size() > longest_endpoint || !std::all_of(endpoint.begin(), endpoint.end(), visible)) return none;
    const bool tls = endpoint.starts_with("https://");
    if (!tls && !(loopback && endpoint.starts_with("http://"))) return none;
    const auto rest = endpoint.substr(endpoint.find("//") + 2);
    const auto at = authority_of(rest.substr(0, rest.find_first_of("/?#")));
    if (!at || rest.find('#') != std::string_view::npos) return none;
    const bool here = loopback && is_loopback(at->host);
    if (!here && (!tls || !(at->port.empty() || at->port == "443"))) return none;
    std::string origin = std::string(tls ? "https://" : "http://") + std::string(at->host);
    if (!at->port.empty() && at->port != (tls ? "443" : "80")) origin.append(1, ':').append(at->port);
    return origin;
}

std::optional<duration> web_push::enter(const std::string& origin)
{
    const std::lock_guard lock(mutex_);
    const auto now = clock::now();
    // Those that are forgotten are neither at work nor at rest: their number is what runs, and who was silent lately.
    std::erase_if(services_, [&](const auto& one) { return one.second.at_once == 0 && one.second.rests_until + longest_silence < now; });
    service& s = services_[origin];
    if (now < s.rests_until) return std::chrono::ceil<duration>(s.rests_until - now);
    // One that has not answered is tried by one.
    if (s.at_once >= (s.silent > 0 ? 1 : most_at_once)) return duration(s.silent > 0 ? 2s : 100ms);
    ++s.at_once;
    return std::nullopt;
}

void web_push::leave(const std::string& origin, bool answered, std::optional<duration> pause)
{
    const std::lock_guard lock(mutex_);
    service& s = services_[origin];
    --s.at_once;
    s.silent = answered ? 0 : std::min(s.silent + 1, 8);
    if (!answered) pause = std::min<duration>(first_silence * (1 << (s.silent - 1)), longest_silence);
    if (pause) s.rests_until = std::max(s.rests_until, clock::now() + *pause);
}

delivery web_push::deliver(const notice& n)
{
    using kind = not_delivered::kind;
    if (!n.browser) return not_delivered{kind::never, "no browser is named", {}};
    const auto origin = push_origin(n.browser->endpoint.reveal(), options_.loopback);
    if (!origin) return not_delivered{kind::address, "its address is none of a push service", {}};
    const auto body = encrypt_push(push_payload(n), n.browser->keys, padded_text);
    if (!body) return not_delivered{kind::never, body.error().detail, {}};
    http_post_request post;
    post.url = n.browser->endpoint.reveal();
    post.url_is_secret = true;
    post.reach = options_.loopback ? http_reach::public_or_loopback : http_reach::public_only;
    post.content_type = "application/octet-stream";
    post.body = *body;
    post.headers = {"Content-Encoding: aes128gcm", "TTL: " + std::to_string(ttl_of(n).count()),
                    n.what == notice::kind::ended ? "Urgency: normal" : "Urgency: high", "Topic: " + topic_of(n),
                    "Authorization: " + options_.authorization(*origin, n.told_at)};
    post.connect_timeout = options_.connect_timeout;
    post.timeout = options_.timeout;
    post.longest_answer = longest_answer;
    post.drop_body = true;
    post.cut = &cut_;
    // From here on nothing throws but for want of memory: whoever enters leaves.
    if (const auto wait = enter(*origin)) return not_delivered{kind::later, "its push service is left alone for a while", *wait, false};
    const auto answered = http_post(post);
    if (const auto* no = std::get_if<no_http_answer>(&answered)) {
        leave(*origin, cut_, std::nullopt);
        return not_delivered{kind::later, no->why, {}};
    }
    delivery done = of_answer(std::get<http_post_answer>(answered));
    const auto* failed = std::get_if<not_delivered>(&done);
    leave(*origin, true, failed ? failed->not_before : std::nullopt);
    return done;
}

}  // namespace sallyport::notifiers
