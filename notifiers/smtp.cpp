#include "notifiers/smtp.hpp"

#include "workflows/loopback.hpp"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::notifiers {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t most_idle = 4, longest_shown = 200;

/// What one message says and hears. libcurl is not told to keep any of it: commands hold passwords.
struct exchange {
    const std::string& message;
    clock::time_point deadline;
    const std::atomic<bool>& cut;
    std::size_t sent = 0;
    smtp_stage stage = smtp_stage::greeting;
    bool over = false;       // what is heard from now on is the answer to QUIT
    bool spoke = false;      // the server, since this message began
    std::string reply = {};  // its last line
};

std::string visible(std::string_view text)
{
    std::string out;
    for (const char c : text.substr(0, longest_shown)) out += c >= 0x20 && c < 0x7F ? c : ' ';
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

std::size_t read_message(char* to, std::size_t size, std::size_t count, void* data)
{
    auto& e = *static_cast<exchange*>(data);
    const std::size_t n = e.message.copy(to, size * count, e.sent);
    e.sent += n;
    return n;
}

std::size_t drop(char*, std::size_t size, std::size_t count, void*) { return size * count; }

int stop_late(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
    const auto& e = *static_cast<const exchange*>(data);
    return e.cut || clock::now() > e.deadline ? 1 : 0;
}

int overhear(CURL*, curl_infotype type, char* bytes, std::size_t size, void* data)
{
    auto& e = *static_cast<exchange*>(data);
    const std::string_view line(bytes, size);
    if (e.over) return 0;
    if (type == CURLINFO_HEADER_IN) {
        e.spoke = true;
        e.reply.assign(line.substr(0, 1'000));
    } else if (type == CURLINFO_HEADER_OUT) {
        constexpr std::pair<std::string_view, smtp_stage> verbs[] = {{"STARTTLS", smtp_stage::starttls},
                                                                     {"AUTH ", smtp_stage::authentication},
                                                                     {"MAIL FROM:", smtp_stage::sender},
                                                                     {"RCPT TO:", smtp_stage::recipient},
                                                                     {"DATA\r\n", smtp_stage::content}};
        for (const auto& [verb, stage] : verbs)
            if (line.starts_with(verb) && stage > e.stage) e.stage = stage;
        e.over = line == "QUIT\r\n";
    }
    return 0;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Zero where the last line was no reply of three digits.
int code_of(std::string_view reply) noexcept
{
    if (reply.size() < 3 || !std::all_of(reply.begin(), reply.begin() + 3, is_digit)) return 0;
    return (reply[0] - '0') * 100 + (reply[1] - '0') * 10 + (reply[2] - '0');
}

// `5.1.1` (RFC 3463) of `550 5.1.1 no such user`; empty where there is none.
std::string_view enhanced_code_of(std::string_view reply) noexcept
{
    const std::string_view rest = reply.size() > 4 ? reply.substr(4) : std::string_view();
    const auto end = std::find_if_not(rest.begin(), rest.end(), [](char c) { return is_digit(c) || c == '.'; });
    const std::string_view code = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    return code.size() >= 5 && code.size() <= 9 && code[0] == reply[0] && code[1] == '.' ? code : std::string_view();
}

not_delivered later(std::string why) { return {not_delivered::kind::later, std::move(why), {}}; }

std::string_view said_to(smtp_stage stage) noexcept
{
    switch (stage) {
    case smtp_stage::greeting: return "did not take the connection";
    case smtp_stage::starttls: return "refused STARTTLS";
    case smtp_stage::authentication: return "refused user or password";
    case smtp_stage::sender: return "refused the sender";
    case smtp_stage::recipient: return "refused the recipient";
    case smtp_stage::content: return "refused the message";
    }
    return {};
}

// What was heard, without what a server may quote: of the message, or of a password.
std::string reply_for_operators(const exchange& e, std::string_view password)
{
    const bool whole = (e.stage == smtp_stage::sender || e.stage == smtp_stage::recipient) &&
                       (password.empty() || e.reply.find(password) == std::string::npos);
    if (whole) return visible(e.reply);
    const std::string_view enhanced = enhanced_code_of(e.reply);
    return e.reply.substr(0, 3) + (enhanced.empty() ? std::string() : ' ' + std::string(enhanced));
}

not_delivered refusal(const smtp_server& server, const exchange& e, CURLcode failed, std::string_view error, std::string_view password)
{
    const std::string name = server.host + ':' + std::to_string(server.port);
    const int code = code_of(e.reply);
    if (code >= 400) {
        std::string why = name + ' ' + std::string(said_to(e.stage)) + ": " + reply_for_operators(e, password);
        if (e.stage >= smtp_stage::sender && code == 530) why += "; it wants authentication";
        return {meaning_of(e.stage, e.reply), std::move(why), {}};
    }
    switch (static_cast<int>(failed)) {
    case CURLE_USE_SSL_FAILED: return later(name + " offers no STARTTLS, without which nothing is sent to it");
    case CURLE_LOGIN_DENIED: return later(name + " and this gateway know no common way to authenticate, or it refused user or password");
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_ABORTED_BY_CALLBACK: return later(name + " did not answer in time");
    case CURLE_PEER_FAILED_VERIFICATION: return later(name + " has no certificate that can be trusted: " + visible(error));
    default: return later(name + ": " + visible(error.empty() ? std::string_view(curl_easy_strerror(failed)) : error));
    }
}

struct close_connection {
    void operator()(CURL* curl) const noexcept
    {
        // Without a socket nobody waits for the answer to QUIT, for which libcurl would take two minutes.
        curl_socket_t open = CURL_SOCKET_BAD;
        if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &open) == CURLE_OK && open != CURL_SOCKET_BAD) ::shutdown(open, SHUT_RDWR);
        curl_easy_cleanup(curl);
    }
};
using connection = std::unique_ptr<CURL, close_connection>;

}  // namespace

class smtp_sender::connections {
public:
    connections() { curl_global_init(CURL_GLOBAL_DEFAULT); }

    connection take()
    {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                connection c = std::move(idle_.back());
                idle_.pop_back();
                return c;
            }
        }
        return connection(curl_easy_init());
    }

    void give_back(connection c)
    {
        const std::lock_guard lock(mutex_);
        if (idle_.size() < most_idle) idle_.push_back(std::move(c));
    }

private:
    std::mutex mutex_;
    std::vector<connection> idle_;
};

namespace {

// Options that hold for any message. Strings are copied by libcurl.
void set_server(CURL* curl, const smtp_server& server, std::string_view password)
{
    const bool ipv6 = server.host.find(':') != std::string::npos;
    const std::string host = ipv6 ? '[' + server.host + ']' : server.host;
    const std::string scheme = server.tls == smtp_tls::from_first_byte ? "smtps://" : "smtp://";
    const std::string url = scheme + host + ':' + std::to_string(server.port) + '/' + server.greeting;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // also where the environment names one
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // nobody waits for a name server that says nothing

    // Whoever stands in between can take STARTTLS out of the server's offer: a password does not go out then.
    long use = CURLUSESSL_ALL;
    if (server.tls == smtp_tls::never) use = CURLUSESSL_NONE;
    if (server.tls == smtp_tls::opportunistic && server.user.empty()) use = CURLUSESSL_TRY;
    curl_easy_setopt(curl, CURLOPT_USE_SSL, use);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!server.ca.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, server.ca.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // that one, not the system's too
    }
    if (!server.user.empty()) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, server.user.c_str());
        curl_easy_setopt(curl, CURLOPT_PASSWORD, password.data());
    }
}

void set_exchange(CURL* curl, const smtp_server& server, exchange& e, char* error)
{
    using std::chrono::milliseconds;
    const auto left = std::chrono::ceil<milliseconds>(e.deadline - clock::now());
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max(left, milliseconds(1)).count()));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::chrono::ceil<milliseconds>(server.connect).count()));
    // The timeout does not hold for the answer to QUIT after a refusal; this does.
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &stop_late);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &e);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);  // to `overhear`, not to anybody's terminal
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, &overhear);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &e);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &drop);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &read_message);
    curl_easy_setopt(curl, CURLOPT_READDATA, &e);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(e.message.size()));
}

}  // namespace

not_delivered::kind meaning_of(smtp_stage stage, std::string_view reply) noexcept
{
    using kind = not_delivered::kind;
    const int code = code_of(reply);
    // Before somebody is named a refusal is about the gateway: its settings, or the server's. So is a wish for authentication
    // (RFC 4954 §6).
    if (code < 500 || code == 530 || code == 534 || code == 535 || code == 538) return kind::later;
    switch (stage) {
    case smtp_stage::greeting:
    case smtp_stage::starttls:
    case smtp_stage::authentication: return kind::later;
    case smtp_stage::sender: return code == 552 ? kind::never : kind::later;  // 552: the message is too large
    case smtp_stage::recipient:
        if (code == 552) return kind::later;  // the mailbox is full, or 452 was meant (RFC 5321 §4.5.3.1.10)
        // 5.7: the server relays nothing for us, or takes nothing from us. No other address would help.
        return code == 503 || enhanced_code_of(reply).starts_with("5.7.") ? kind::never : kind::address;
    case smtp_stage::content: return kind::never;
    }
    return kind::later;
}

smtp_sender::smtp_sender(smtp_server server) : server_(std::move(server)), connections_(std::make_unique<connections>()) {}

smtp_sender::~smtp_sender() = default;

void smtp_sender::cut() noexcept { cut_ = true; }

std::optional<not_delivered> smtp_sender::send(const std::string& from, const std::string& to, const std::string& message)
{
    secret password;
    if (!server_.user.empty()) {
        if (server_.tls == smtp_tls::never && !is_loopback(server_.host))
            return later("no password is sent to " + server_.host + " without TLS");
        auto given = server_.password ? server_.password() : std::string("there is no password for user " + server_.user);
        if (auto* why = std::get_if<std::string>(&given)) return later("the mail server's password: " + *why);
        password = std::move(std::get<secret>(given));
    }

    const auto deadline = clock::now() + server_.whole;
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(curl_slist_append(nullptr, ('<' + to + '>').c_str()),
                                                                                 &curl_slist_free_all);
    for (bool again = false;; again = true) {
        connection curl = connections_->take();
        if (!curl) return later("libcurl cannot be used");
        exchange e{message, deadline, cut_};
        std::string error(CURL_ERROR_SIZE, '\0');
        curl_easy_reset(curl.get());  // the options; its connection stays
        set_server(curl.get(), server_, password.reveal());
        set_exchange(curl.get(), server_, e, error.data());
        curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, ('<' + from + '>').c_str());
        curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.get());
        if (again) curl_easy_setopt(curl.get(), CURLOPT_FRESH_CONNECT, 1L);

        const CURLcode code = curl_easy_perform(curl.get());
        long opened = 1;
        curl_easy_getinfo(curl.get(), CURLINFO_NUM_CONNECTS, &opened);
        curl_easy_reset(curl.get());  // nothing of this frame is kept
        if (code == CURLE_OK) {
            connections_->give_back(std::move(curl));
            return std::nullopt;
        }
        error.resize(error.find('\0'));
        // A connection used again may have been closed meanwhile, in silence or with 421: that says nothing of this message.
        const bool stale = opened == 0 && e.sent == 0 && (!e.spoke || code_of(e.reply) == 421);
        if (again || !stale || clock::now() >= deadline) return refusal(server_, e, code, error, password.reveal());
    }
}

}  // namespace sallyport::notifiers
