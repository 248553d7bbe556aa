#include "notifiers/webhook.hpp"

#include "notifiers/http_post.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace sallyport::notifiers {
namespace {

constexpr std::string_view encoded_secret = "whsec_";
constexpr std::size_t longest_answer = 64 << 10;  // read and forgotten
constexpr duration longest_pause = std::chrono::hours(1);

boost::json::value time_or_null(const std::optional<time_point>& at)
{
    return at ? boost::json::value(format_rfc3339(*at)) : boost::json::value(nullptr);
}

boost::json::array texts(const std::vector<std::string>& all)
{
    boost::json::array list;
    for (const std::string& one : all) list.emplace_back(one);
    return list;
}

delivery of_answer(const http_post_answer& answer)
{
    if (answer.status >= 200 && answer.status < 300) return delivered{};
    not_delivered why{
        answer.status == 410 ? not_delivered::kind::address : not_delivered::kind::later, "answered " + std::to_string(answer.status), {}};
    if (answer.retry_after > 0) why.not_before = std::min<duration>(std::chrono::seconds(answer.retry_after), longest_pause);
    return why;
}

}  // namespace

std::string webhook_body(const notice& n)
{
    boost::json::array reasons;
    for (const notice_reason& r : n.reasons) reasons.push_back(boost::json::object{{"rule", r.rule}, {"summary", r.summary}});
    return boost::json::serialize(boost::json::object{
        {"type", "hold." + std::string(name_of(n.what))},
        {"timestamp", format_rfc3339(n.closed_at.value_or(n.created_at))},
        {"data", boost::json::object{
                     {"hold", n.hold.text()},
                     {"action", n.action.text()},
                     {"status", name_of(n.status)},
                     {"reasons", std::move(reasons)},
                     {"agent", n.agent},
                     {"owner", n.owner},
                     {"route", n.route},
                     {"request", boost::json::object{{"method", n.method}, {"authority", n.authority}, {"target", n.target}}},
                     {"workflows", texts(n.workflows)},
                     {"approvals", boost::json::object{{"needed", n.approvals_needed}, {"given", n.approvals_given}}},
                     {"created_at", format_rfc3339(n.created_at)},
                     {"expires_at", format_rfc3339(n.expires_at)},
                     {"closed_at", time_or_null(n.closed_at)},
                     {"decided_by", texts(n.decided_by)},
                     {"glass_broken_by", n.glass_broken_by.empty() ? boost::json::value(nullptr) : boost::json::value(n.glass_broken_by)},
                     {"reason", n.reason.empty() ? boost::json::value(nullptr) : boost::json::value(n.reason)},
                     {"upstream_status", n.upstream_status ? boost::json::value(*n.upstream_status) : boost::json::value(nullptr)},
                     {"link", n.link},
                 }}});
}

std::optional<std::string> webhook_signature(const secret& key, std::string_view id, std::string_view timestamp, std::string_view body)
{
    std::string_view text = key.reveal();
    secret decoded;
    if (text.starts_with(encoded_secret)) {
        auto bytes = read_base64(text.substr(encoded_secret.size()));
        if (!bytes || bytes->empty()) return std::nullopt;
        decoded = secret(std::move(*bytes));
        text = decoded.reveal();
    }
    std::string signed_text;
    signed_text.append(id).append(1, '.').append(timestamp).append(1, '.').append(body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned int length = 0;
    if (!HMAC(EVP_sha256(), text.data(), static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(signed_text.data()),
              signed_text.size(), mac.data(), &length))
        return std::nullopt;
    return "v1," + base64({reinterpret_cast<const char*>(mac.data()), length});
}

delivery webhook::deliver(const notice& n)
{
    const auto later = [](std::string why) { return not_delivered{not_delivered::kind::later, std::move(why), {}}; };
    const auto key = options_.signing_secret();
    if (!key) return later("its secret cannot be read: " + key.error().detail);
    http_post_request post;
    post.url = options_.url;
    post.content_type = "application/json";
    post.body = webhook_body(n);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(n.told_at).time_since_epoch().count();
    const std::string timestamp = std::to_string(seconds);
    const auto signature = webhook_signature(*key, n.key, timestamp, post.body);
    if (!signature) return later("its secret is not whsec_ and base64");
    post.headers = {"User-Agent: Sallyport", "webhook-id: " + n.key, "webhook-timestamp: " + timestamp, "webhook-signature: " + *signature};
    post.connect_timeout = options_.connect_timeout;
    post.timeout = options_.timeout;
    post.longest_answer = longest_answer;
    post.drop_body = true;
    post.cut = &cut_;
    const auto answered = http_post(post);
    if (const auto* none = std::get_if<no_http_answer>(&answered)) return later(none->why);
    return of_answer(std::get<http_post_answer>(answered));
}

}  // namespace sallyport::notifiers
