#include "gateway/http/websocket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

using namespace sallyport;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

struct pair_of_pem {
    std::string key, certificate;
};

template <class Write>
std::string pem(Write write)
{
    BIO* const bio = BIO_new(BIO_s_mem());
    REQUIRE(write(bio) == 1);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(length));
    BIO_free(bio);
    return text;
}

// Signed by itself: whoever has it as an authority trusts it for `name`.
pair_of_pem certificate_for(const std::string& name)
{
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const c = X509_new();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    X509_set_pubkey(c, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("stand-in"), -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
    X509_add_ext(c, names, -1);
    X509_EXTENSION_free(names);
    REQUIRE(X509_sign(c, key, EVP_sha256()) > 0);
    pair_of_pem made{pem([&](BIO* to) { return PEM_write_bio_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr); }),
                     pem([&](BIO* to) { return PEM_write_bio_X509(to, c); })};
    X509_free(c);
    EVP_PKEY_free(key);
    return made;
}

struct file {
    std::filesystem::path path;
    explicit file(const std::string& content)
    {
        std::string name = (std::filesystem::temp_directory_path() / "sallyport-ca-XXXXXX").string();
        const int descriptor = ::mkstemp(name.data());
        REQUIRE(descriptor >= 0);
        ::close(descriptor);
        path = name;
        std::ofstream(path) << content;
    }
    ~file()
    {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
    file(const file&) = delete;
    file& operator=(const file&) = delete;
};

using plain = beast::websocket::stream<tcp::socket>;
using sealed = beast::websocket::stream<asio::ssl::stream<tcp::socket>>;

/// Takes one connection, and does with it what it is told; errors end it.
class server {
public:
    explicit server(std::function<void(plain&)> act)
    {
        thread_ = std::thread([this, act = std::move(act)] {
            serve([this, &act] {
                plain ws(acceptor_.accept());
                ws.accept();
                act(ws);
            });
        });
    }
    explicit server(const pair_of_pem& pair)
    {
        thread_ = std::thread([this, pair] {
            serve([this, &pair] {
                asio::ssl::context tls(asio::ssl::context::tls_server);
                tls.use_certificate(asio::buffer(pair.certificate), asio::ssl::context::pem);
                tls.use_private_key(asio::buffer(pair.key), asio::ssl::context::pem);
                sealed ws(acceptor_.accept(), tls);
                ws.next_layer().handshake(asio::ssl::stream_base::server);
                ws.accept();
                ws.write(asio::buffer(std::string("hello")));
                beast::flat_buffer read;
                ws.read(read);
            });
        });
    }
    ~server() { thread_.join(); }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::string url(const std::string& scheme) const
    {
        return scheme + "://localhost:" + std::to_string(acceptor_.local_endpoint().port()) + "/link/?ticket=x";
    }

private:
    template <class Act>
    static void serve(Act act)
    {
        try {
            act();
        } catch (const boost::system::system_error&) {
            // The other side has left, as it should.
        }
    }

    asio::io_context context_;
    tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    std::thread thread_;
};

void echo(plain& ws)
{
    for (;;) {
        beast::flat_buffer read;
        ws.read(read);
        ws.ping("are you there");
        ws.text(true);
        ws.write(read.data());
    }
}

http::websocket_options to(std::string url)
{
    http::websocket_options o;
    o.url = std::move(url);
    o.connect_timeout = 5s;
    return o;
}

}  // namespace

TEST_CASE("messages go out and come in")
{
    server one(echo);
    http::websocket socket;
    REQUIRE(socket.open(to(one.url("ws"))).has_value());
    for (const std::string& text : {std::string("hello"), std::string(), std::string("a\0b", 3), std::string(300'000, 'x')}) {
        REQUIRE(socket.write(text).has_value());
        const auto back = socket.read();
        REQUIRE(back.has_value());
        CHECK(*back == text);
    }
}

TEST_CASE("only who proves the name is spoken to")
{
    const auto right = certificate_for("localhost"), other = certificate_for("elsewhere.example");
    const file trusts_right(right.certificate), trusts_other(other.certificate);
    struct row {
        const char* name;
        const pair_of_pem& served;
        std::filesystem::path trusted;
        bool fine;
    };
    for (const row& r :
         {row{"trusted, of that name", right, trusts_right.path, true}, row{"of another name", other, trusts_other.path, false},
          row{"not trusted", right, trusts_other.path, false}, row{"not the system's", right, {}, false}}) {
        CAPTURE(r.name);
        server one(r.served);
        http::websocket socket;
        auto options = to(one.url("wss"));
        options.ca = r.trusted;
        const auto opened = socket.open(options);
        CHECK(opened.has_value() == r.fine);
        if (!opened) continue;
        CHECK(socket.read().value() == "hello");
        CHECK(socket.write("bye").has_value());
    }
}

TEST_CASE("what is no URL of a WebSocket's, and what nobody answers at")
{
    for (const char* url : {"", "ws://", "http://localhost/", "ws://a@localhost/", "ws://localhost:x/", "ws://localhost:/", "wss://:1/"}) {
        CAPTURE(url);
        http::websocket socket;
        const auto opened = socket.open(to(url));
        REQUIRE_FALSE(opened.has_value());
        CHECK(opened.error().what == problem::invalid_input);
    }
    http::websocket socket;
    CHECK_FALSE(socket.open(to("ws://127.0.0.1:1/")).has_value());
    CHECK_FALSE(socket.read().has_value());
    CHECK_FALSE(socket.write("x").has_value());
}

TEST_CASE("a message that is too long, and silence, end it")
{
    {
        server one([](plain& ws) { ws.write(asio::buffer(std::string(2000, 'x'))); });
        http::websocket socket;
        auto options = to(one.url("ws"));
        options.longest_message = 1999;
        REQUIRE(socket.open(options).has_value());
        CHECK_FALSE(socket.read().has_value());
    }
    // It takes our ping, and says nothing.
    server mute([](plain& ws) {
        char bytes[256];
        boost::system::error_code over;
        while (!over) ws.next_layer().read_some(asio::buffer(bytes), over);
    });
    http::websocket socket;
    auto options = to(mute.url("ws"));
    options.idle = 300ms;
    REQUIRE(socket.open(options).has_value());
    CHECK_FALSE(socket.read().has_value());
}

TEST_CASE("it can be cut from elsewhere, before and while it waits")
{
    server one([](plain& ws) {
        beast::flat_buffer read;
        ws.read(read);
    });
    http::websocket socket;
    REQUIRE(socket.open(to(one.url("ws"))).has_value());
    std::thread cutter([&socket] { socket.cut(); });
    CHECK_FALSE(socket.read().has_value());
    cutter.join();
    CHECK_FALSE(socket.read().has_value());

    http::websocket other;
    other.cut();
    CHECK_FALSE(other.open(to("ws://127.0.0.1:1/")).has_value());
}
