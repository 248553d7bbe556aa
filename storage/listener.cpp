#include "storage/listener.hpp"

#include "storage/connection.hpp"
#include "storage/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;
constexpr auto longest_back_off = std::chrono::milliseconds(2000);

class ear final : public pqxx::notification_receiver {
public:
    ear(pqxx::connection_base& connection, const std::string& channel, const listener_options& options)
        : pqxx::notification_receiver(connection, channel),
          options_(options)
    {
    }
    void operator()(const std::string& payload, int) override
    {
        std::string_view rest = payload;
        while (!rest.empty()) {
            const auto end = std::min(rest.find(' '), rest.size());
            if (end > 0 && options_.heard) options_.heard(channel(), rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }

private:
    const listener_options& options_;
};

}  // namespace

class listener::impl {
public:
    explicit impl(listener_options options)
        : options_(std::move(options)),
          connection_string_(storage::connection_string(options_.uri, options_.password, options_.connect_timeout)),
          stop_requested_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    {
        if (!stop_requested_) throw std::runtime_error("eventfd: no descriptor");
        thread_ = std::thread([this] { listen(); });
    }

    ~impl() { stop(); }

    void end() noexcept
    {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(stop_requested_.get(), &one, sizeof one);
        const std::lock_guard lock(socket_mutex_);
        ended_ = true;
        if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    }

    void stop() noexcept
    {
        end();
        if (thread_.joinable()) thread_.join();
    }

private:
    // False when stop() was called within that time (negative: none), or before.
    bool wait(int fd, int milliseconds) const
    {
        std::array<pollfd, 2> watched{{{stop_requested_.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
        while (::poll(watched.data(), watched.size(), milliseconds) < 0)
            if (errno != EINTR) throw std::runtime_error("poll: " + error_text(errno));
        return (watched[0].revents & POLLIN) == 0;
    }

    void event(std::string_view what, std::string_view detail) const
    {
        if (options_.on_event) options_.on_event(what, detail);
    }

    // The connection's socket, for as long as the connection is open: whatever waits for the server's answer on it, the
    // UNLISTEN of the receivers' destructors too, then ends with end().
    class open_socket {
    public:
        open_socket(impl& of, int socket) : of_(of)
        {
            const std::lock_guard lock(of_.socket_mutex_);
            of_.socket_ = socket;
            if (of_.ended_) ::shutdown(socket, SHUT_RDWR);
        }
        ~open_socket()
        {
            const std::lock_guard lock(of_.socket_mutex_);
            of_.socket_ = -1;
        }
        open_socket(const open_socket&) = delete;
        open_socket& operator=(const open_socket&) = delete;

    private:
        impl& of_;
    };

    void listen()
    {
        auto back_off = 0ms;
        while (wait(-1, static_cast<int>(back_off.count()))) {
            try {
                const auto connection = connect(connection_string_);
                const open_socket socket(*this, connection->sock());
                std::vector<std::unique_ptr<ear>> ears;
                for (const auto& channel : options_.channels) ears.push_back(std::make_unique<ear>(*connection, channel, options_));
                // libpqxx passes over a connection that breaks at LISTEN.
                if (!connection->is_open()) throw pqxx::broken_connection();
                back_off = 0ms;
                if (options_.reconnected) options_.reconnected();
                do {
                    connection->get_notifs();
                    if (!connection->is_open()) throw pqxx::broken_connection();
                } while (wait(connection->sock(), -1));
                return;
            } catch (const std::exception& e) {
                if (back_off == 0ms) event("not listening to the database", words_of(e));
                back_off = std::min(back_off == 0ms ? 50ms : back_off * 2, longest_back_off);
            }
        }
    }

    const listener_options options_;
    const secret connection_string_;
    const file_descriptor stop_requested_;
    std::mutex socket_mutex_;
    int socket_ = -1;
    bool ended_ = false;
    std::thread thread_;
};

listener::listener(listener_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
listener::~listener() = default;
void listener::end() noexcept { impl_->end(); }
void listener::stop() noexcept { impl_->stop(); }

}  // namespace sallyport::storage
