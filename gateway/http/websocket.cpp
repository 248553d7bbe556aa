#include "gateway/http/websocket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace sallyport::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp_stream = beast::basic_stream<asio::ip::tcp, asio::io_context::executor_type>;

// TCP, with TLS or without: one type, and what waits for its bytes is one type too. Beast makes a reader and a writer of its own for
// each of a dozen steps, and the compiler would make TCP's and TLS's anew for every one of them.
class transport {
public:
    using executor_type = tcp_stream::executor_type;

    explicit transport(asio::io_context& context) : plain_(context) {}
    transport(asio::io_context& context, asio::ssl::context& tls) : plain_(context), sealed_(std::in_place, plain_, tls) {}

    executor_type get_executor() { return plain_.get_executor(); }
    tcp_stream& tcp() noexcept { return plain_; }
    auto* tls() noexcept { return sealed_ ? &*sealed_ : nullptr; }

    template <class Buffers, class Handler>
    void async_read_some(const Buffers& buffers, Handler&& handler)
    {
        read(first<asio::mutable_buffer>(buffers), whoever_waits(std::forward<Handler>(handler)));
    }
    template <class Buffers, class Handler>
    void async_write_some(const Buffers& buffers, Handler&& handler)
    {
        write(first<asio::const_buffer>(buffers), whoever_waits(std::forward<Handler>(handler)));
    }

private:
    using waiting = std::function<void(error_code, std::size_t)>;

    // A function is copied, and what Beast hands over is not.
    template <class Handler>
    static waiting whoever_waits(Handler&& handler)
    {
        return [kept = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler))](error_code e, std::size_t size) {
            (*kept)(e, size);
        };
    }

    // `some` may be less than all: the first that is not empty.
    template <class Buffer, class Buffers>
    static Buffer first(const Buffers& buffers)
    {
        for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers); ++at)
            if (const Buffer one = *at; one.size() > 0) return one;
        return {};
    }

    void read(asio::mutable_buffer into, waiting done)
    {
        if (sealed_) return sealed_->async_read_some(into, std::move(done));
        plain_.async_read_some(into, std::move(done));
    }
    void write(asio::const_buffer from, waiting done)
    {
        if (sealed_) return sealed_->async_write_some(from, std::move(done));
        plain_.async_write_some(from, std::move(done));
    }

    tcp_stream plain_;
    std::optional<asio::ssl::stream<tcp_stream&>> sealed_;
};

// Beast finds both by the argument; neither TLS nor TCP is closed politely after the WebSocket has been: it is over either way.
template <class Handler>
void async_teardown(beast::role_type role, transport& below, Handler&& handler)
{
    beast::websocket::async_teardown(role, below.tcp().socket(), std::forward<Handler>(handler));
}
void beast_close_socket(transport& below) { below.tcp().close(); }

// Compression is asked for by nobody here.
using stream = beast::websocket::stream<transport, false>;

struct place {
    bool tls = false;
    std::string host, port, target;
    std::string authority;
};

std::optional<place> read_url(std::string_view url)
{
    place p;
    p.tls = url.starts_with("wss://");
    if (!p.tls && !url.starts_with("ws://")) return std::nullopt;
    url.remove_prefix(p.tls ? 6 : 5);
    const auto end = std::min(url.find_first_of("/?#"), url.size());
    p.authority = url.substr(0, end);
    p.target = url.substr(end, url.find('#') - end);
    if (!p.target.starts_with('/')) p.target.insert(0, "/");
    if (p.authority.find('@') != std::string::npos) return std::nullopt;
    const auto bracket = p.authority.rfind(']');
    const auto colon = p.authority.find(':', bracket == std::string::npos ? 0 : bracket);
    p.host = p.authority.substr(0, colon);
    if (p.host.starts_with('[') && p.host.ends_with(']')) p.host = p.host.substr(1, p.host.size() - 2);
    p.port = colon == std::string::npos ? (p.tls ? "443" : "80") : p.authority.substr(colon + 1);
    if (p.host.empty() || p.port.empty() || p.port.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    return p;
}

failure over(std::string_view what, const error_code& why)
{
    return fail(problem::upstream_unreachable, "The WebSocket is over.", std::string(what) + ": " + why.message());
}

}  // namespace

class websocket::impl {
public:
    ~impl() = default;

    result<void> open(const websocket_options& options)
    {
        const auto to = read_url(options.url);
        if (!to) return fail(problem::invalid_input, "That is no WebSocket's URL.");
        asio::ip::tcp::resolver names(context_);
        asio::ip::tcp::resolver::results_type found;
        if (const auto why = wait([&](auto done) {
                names.async_resolve(to->host, to->port, [done, &found](error_code e, asio::ip::tcp::resolver::results_type all) {
                    found = std::move(all);
                    done(e);
                });
            }))
            return over("name", why);
        if (!to->tls) {
            stream_.emplace(context_);
            return shake(*to, found, options);
        }
        error_code why;
        if (options.ca.empty())
            tls_.set_default_verify_paths(why);
        else
            tls_.load_verify_file(options.ca.string(), why);
        if (why) return over("certificates", why);
        auto& below = *stream_.emplace(context_, tls_).next_layer().tls();
        below.set_verify_mode(asio::ssl::verify_peer);
        below.set_verify_callback(asio::ssl::host_name_verification(to->host));
        // SSL_set_tlsext_host_name, without its C cast.
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): OpenSSL's signature; it copies the name
        void* const name = const_cast<char*>(to->host.c_str());
        if (SSL_ctrl(below.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) != 1)
            return fail(problem::internal_error);
        return shake(*to, found, options);
    }

    result<std::string> read()
    {
        if (!stream_) return over("reading", asio::error::not_connected);
        buffer_.clear();
        const auto why = wait([this](auto done) { stream_->async_read(buffer_, [done](error_code e, std::size_t) { done(e); }); });
        if (why) return over("reading", why);
        return beast::buffers_to_string(buffer_.data());
    }

    result<void> write(std::string_view text)
    {
        if (!stream_) return over("writing", asio::error::not_connected);
        const auto why = wait([&](auto done) {
            stream_->async_write(asio::buffer(text.data(), text.size()), [done](error_code e, std::size_t) { done(e); });
        });
        if (why) return over("writing", why);
        return {};
    }

    void cut() noexcept
    try {
        cut_ = true;
        asio::post(context_, [this] {
            if (stream_) stream_->next_layer().tcp().close();
        });
    } catch (const std::exception&) {
        // No memory: `idle` ends it.
    }

private:
    result<void> shake(const place& to, const asio::ip::tcp::resolver::results_type& found, const websocket_options& options)
    {
        auto& tcp = stream_->next_layer().tcp();
        tcp.expires_after(options.connect_timeout);
        if (const auto why =
                wait([&](auto done) { tcp.async_connect(found, [done](error_code e, const asio::ip::tcp::endpoint&) { done(e); }); }))
            return over("connecting", why);
        if (auto* const tls = stream_->next_layer().tls()) {
            tcp.expires_after(options.connect_timeout);
            if (const auto why = wait([&](auto done) { tls->async_handshake(asio::ssl::stream_base::client, done); }))
                return over("TLS", why);
        }
        tcp.expires_never();  // from here on its own times count
        beast::websocket::stream_base::timeout times;
        times.handshake_timeout = options.connect_timeout;
        times.idle_timeout = options.idle;
        times.keep_alive_pings = true;
        stream_->set_option(times);
        stream_->read_message_max(options.longest_message);
        if (const auto why = wait([&](auto done) { stream_->async_handshake(to.authority, to.target, done); }))
            return over("handshake", why);
        stream_->text(true);
        return {};
    }

    // Runs what has been started until it has ended; pings are answered meanwhile.
    template <class Start>
    error_code wait(Start start)
    {
        if (cut_) return asio::error::operation_aborted;
        std::optional<error_code> ended;
        start([&ended](error_code e) { ended = e; });
        context_.restart();
        while (!ended && context_.run_one() > 0) {}
        return ended.value_or(asio::error::operation_aborted);
    }

    std::atomic<bool> cut_{false};
    asio::io_context context_{1};
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    beast::flat_buffer buffer_;
    std::optional<stream> stream_;  // after what it refers to
};

websocket::websocket() : impl_(std::make_unique<impl>()) {}
websocket::~websocket() = default;
result<void> websocket::open(const websocket_options& options) { return impl_->open(options); }
result<std::string> websocket::read() { return impl_->read(); }
result<void> websocket::write(std::string_view text) { return impl_->write(text); }
void websocket::cut() noexcept { impl_->cut(); }

}  // namespace sallyport::http
