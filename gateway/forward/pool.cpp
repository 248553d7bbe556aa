#include "gateway/forward/pool.hpp"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

namespace sallyport::forward {

using http::steady_time;

namespace {

steady_time now() noexcept { return std::chrono::steady_clock::now(); }

failure unreachable(std::string cause) { return fail(problem::upstream_unreachable, "the upstream cannot be reached", std::move(cause)); }

}  // namespace

/// The idle connections to one upstream, the latest used last: the others can so grow old and go.
struct upstream_slot {
    std::vector<std::unique_ptr<upstream_connection>> idle;
};

upstream_connection::upstream_connection(upstream_pool& pool)
    : stream(pool.core()),
      in(pool.core().buffers(), pool.options().header_bytes),
      pool_(&pool),
      idle_until_(pool.core().timers(), told, this),
      generation_(pool.generation_)
{
    pool.busy(*this);
}

upstream_connection::~upstream_connection()
{
    if (slot_ == nullptr) pool_->not_busy(*this);
}

void upstream_connection::told(void* context) noexcept
{
    auto& self = *static_cast<upstream_connection*>(context);
    self.pool_->forget(self);
}

lease::lease(upstream_pool& pool, std::shared_ptr<upstream_slot> slot, std::unique_ptr<upstream_connection> connection) noexcept
    : pool_(&pool),
      slot_(std::move(slot)),
      connection_(std::move(connection))
{
    ++pool_->counts_.leased;
}

lease::lease(lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      slot_(std::move(other.slot_)),
      connection_(std::move(other.connection_))
{
}

lease& lease::operator=(lease&& other) noexcept
{
    if (this != &other) {
        drop();
        pool_ = std::exchange(other.pool_, nullptr);
        slot_ = std::move(other.slot_);
        connection_ = std::move(other.connection_);
    }
    return *this;
}

lease::~lease() { drop(); }

void lease::drop(bool hard) noexcept
{
    if (!connection_) return;
    --pool_->counts_.leased;
    if (hard) connection_->stream.reset();
    connection_.reset();
    slot_.reset();
}

void lease::give_back() noexcept
{
    if (!connection_) return;
    --pool_->counts_.leased;
    const auto slot = std::move(slot_);
    pool_->take_back(*slot, std::move(connection_));
}

upstream_pool::upstream_pool(http::core& core, pool_options options) : core_(&core), options_(options), resolver_(core) {}

upstream_pool::~upstream_pool() { close_idle(); }

void upstream_pool::close_idle() noexcept
{
    for (const auto& one : slots_) one.second->idle.clear();
    counts_.idle = 0;
}

void upstream_pool::stop() noexcept
{
    stopped_ = true;
    close_idle();
    resolver_.stop();
    for (upstream_connection* const one : busy_) one->stream.disconnect();
}

void upstream_pool::busy(upstream_connection& one)
{
    one.at_ = busy_.size();
    busy_.push_back(&one);
}

void upstream_pool::not_busy(upstream_connection& one) noexcept
{
    busy_[one.at_] = busy_.back();
    busy_[one.at_]->at_ = one.at_;
    busy_.pop_back();
}

void upstream_pool::refresh() noexcept
{
    ++generation_;
    contexts_.clear();
    close_idle();
    // Upstreams that are no longer configured go, unless a call is still at work with them.
    std::erase_if(slots_, [](const auto& one) { return one.second.use_count() == 1; });
}

std::shared_ptr<upstream_slot> upstream_pool::slot_for(const config::upstream& to, const std::filesystem::path& ca)
{
    const key_view wanted(to, ca);
    if (const auto found = slots_.find(wanted); found != slots_.end()) return found->second;
    key made{to.host, std::string(wanted.ca), to.port, to.tls};
    return slots_.emplace(std::move(made), std::make_shared<upstream_slot>()).first->second;
}

void upstream_pool::take_back(upstream_slot& slot, std::unique_ptr<upstream_connection> connection) noexcept
{
    const auto idle_time = std::min(options_.idle_time, connection->idle_time);
    if (stopped_ || connection->generation_ != generation_ || slot.idle.size() >= options_.idle_per_upstream || idle_time.count() <= 0)
        return;
    try {
        if (slot.idle.size() == slot.idle.capacity()) slot.idle.reserve(slot.idle.size() * 2 + 4);
    } catch (const std::bad_alloc&) {
        return;  // not kept, then
    }
    not_busy(*connection);
    connection->stream.no_read_deadline();
    connection->stream.no_write_deadline();
    connection->idle_until_.set(http::coarse_now() + idle_time);
    connection->slot_ = &slot;
    slot.idle.push_back(std::move(connection));
    ++counts_.idle;
}

void upstream_pool::forget(upstream_connection& connection) noexcept
{
    auto& idle = connection.slot_->idle;
    const auto found = std::find_if(idle.begin(), idle.end(), [&connection](const auto& one) noexcept { return one.get() == &connection; });
    if (found == idle.end()) return;
    --counts_.idle;
    idle.erase(found);
}

result<std::shared_ptr<http::tls_context>> upstream_pool::context_for(const std::filesystem::path& ca)
{
    // The file may have been renewed in place, as those who rotate certificates do. Of the system's there is no one file.
    std::filesystem::file_time_type stamp{};
    if (!ca.empty()) {
        std::error_code unknown;
        stamp = std::filesystem::last_write_time(ca, unknown);
        if (unknown) stamp = {};
    }
    if (const auto found = contexts_.find(ca.native()); found != contexts_.end() && found->second.stamp == stamp)
        return found->second.context;
    auto made = http::tls_context::client(ca);
    if (!made) return unreachable(made.error().detail + ": " + made.error().cause);
    contexts_[ca.native()] = certificates{*made, stamp};
    return *made;
}

lease upstream_pool::take_idle(const config::upstream& to, const std::filesystem::path& ca)
{
    auto slot = slot_for(to, ca);
    while (!slot->idle.empty()) {
        auto one = std::move(slot->idle.back());
        slot->idle.pop_back();
        --counts_.idle;
        one->idle_until_.clear();
        if (one->stream.readable_or_closed()) {
            // The upstream closed it, or said something unasked: an answer that would be taken for the next call's.
            ++counts_.discarded;
            continue;
        }
        busy(*one);
        one->slot_ = nullptr;
        one->reused = true;
        ++counts_.reused;
        return {*this, std::move(slot), std::move(one)};
    }
    return {};
}

http::awaitable<result<lease>> upstream_pool::take(const config::upstream& to, const std::filesystem::path& ca, steady_time until,
                                                   bool fresh)
{
    if (!fresh)
        if (lease idle = take_idle(to, ca)) co_return std::move(idle);
    auto slot = slot_for(to, ca);
    auto made = std::make_unique<upstream_connection>(*this);
    const auto connected = co_await connect(*made, to, ca, until);
    if (!connected) co_return connected.error();
    ++counts_.opened;
    co_return lease(*this, std::move(slot), std::move(made));
}

http::awaitable<result<void>> upstream_pool::connect(upstream_connection& made, const config::upstream& to, const std::filesystem::path& ca,
                                                     steady_time until)
{
    if (stopped_) co_return unreachable("the gateway is stopping");
    const steady_time limit = std::min(until, now() + options_.connect_time);
    std::shared_ptr<http::tls_context> context;
    if (to.tls) {
        auto found = context_for(ca);
        if (!found) co_return found.error();
        context = std::move(*found);
    }
    const auto addresses = co_await resolver_.resolve(to.host, to.port, limit);
    if (!addresses) co_return addresses.error();

    const std::string where = to.host + ':' + std::to_string(to.port);
    std::string cause;
    std::size_t left = addresses->size();
    for (const auto& address : *addresses) {
        if (stopped_) co_return unreachable("the gateway is stopping");
        // An address that swallows everything must leave time for the next.
        const auto share = (limit - now()) / static_cast<std::int64_t>(left--);
        if (share.count() <= 0) {
            if (cause.empty()) cause = where + ": timed out";
            break;
        }
        made.stream.write_by(now() + share);
        if (const auto refused = co_await made.stream.connect(address)) {
            cause = where + ": " + refused.message();
            continue;
        }
        made.stream.no_write_deadline();
        if (!to.tls) co_return result<void>();
        made.stream.read_by(now() + share);
        const auto refused = co_await made.stream.handshake_client(context, to.host, where);
        if (!refused) {
            made.stream.no_read_deadline();
            co_return result<void>();
        }
        cause = where + ": TLS: " + (made.stream.tls_failure().empty() ? refused.message() : std::string(made.stream.tls_failure()));
        // Another address of the same name would have to be trusted for the same reasons.
        if (refused == boost::asio::error::connection_refused) break;
    }
    made.stream.close();
    co_return unreachable(std::move(cause));
}

}  // namespace sallyport::forward
