#include "gateway/release/handover.hpp"

#include "gateway/log/log.hpp"

#include <chrono>

namespace sallyport::release {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using header_values = std::vector<std::pair<std::string, std::string>>;

// Both sides are ended by others: the sender by its upstream's silence, the agent's by its connection. This only bounds one
// wait, after which they look again.
constexpr auto look_again = 30s;

}  // namespace

namespace detail {

// Where the sender learns whether a message was taken. Touched on the sender's core, but for `core`.
struct reply {
    explicit reply(http::core& sender) : core(sender) {}

    http::core& core;
    http::signal given;
    std::optional<bool> took;
};

namespace {

void acknowledge(std::shared_ptr<reply>& to, bool took)
{
    if (!to) return;
    http::core& core = to->core;
    core.post([told = std::move(to), took] {
        told->took = took;
        told->given.fire();
    });
}

}  // namespace

struct message {
    enum class kind { head, piece, end, cut };

    kind what = kind::cut;
    int status = 0;
    header_values headers;
    std::optional<std::uint64_t> length;
    std::string bytes;
    std::shared_ptr<reply> to;  // null: nobody waits for the answer
};

// Where both sides meet. Touched on the agent's core, but for `core`.
struct meeting {
    meeting(http::core& agent, http::signal& signal) : core(agent), told(&signal) {}

    http::core& core;
    http::signal* told;              // null: the connection waits no more
    std::optional<message> arrived;  // one at a time: the sender waits for each
    bool begun = false;              // the head was taken

    void put(message m)
    {
        // Another attempt's head, while one is being passed on, is not for this connection.
        const bool wanted = told && (m.what == message::kind::head) == !begun && (begun || !arrived);
        if (!wanted) {
            if (m.what == message::kind::cut) arrived.reset();
            return acknowledge(m.to, false);
        }
        arrived = std::move(m);
        told->fire();
    }
};

}  // namespace detail

using detail::acknowledge;
using detail::meeting;
using detail::message;
using detail::reply;

// --- who waits ----------------------------------------------------------------------------------------------------------

void handovers::add(hold_id hold, std::shared_ptr<meeting> one)
{
    const std::lock_guard lock(mutex_);
    all_.emplace(hold, std::move(one));
}

void handovers::remove(hold_id hold, const std::shared_ptr<meeting>& one) noexcept
{
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = all_.equal_range(hold);
    for (auto at = begin; at != end; ++at)
        if (at->second == one) {
            all_.erase(at);
            return;
        }
}

std::vector<std::shared_ptr<meeting>> handovers::waiting_for(hold_id hold) const
{
    std::vector<std::shared_ptr<meeting>> found;
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = all_.equal_range(hold);
    for (auto at = begin; at != end; ++at) found.push_back(at->second);
    return found;
}

// --- the agent's side -----------------------------------------------------------------------------------------------------

waiting_agent::waiting_agent(handovers& all, hold_id hold, http::core& core, http::signal& told)
    : all_(all),
      hold_(hold),
      meeting_(std::make_shared<meeting>(core, told))
{
    all_.add(hold_, meeting_);
}

waiting_agent::~waiting_agent()
{
    all_.remove(hold_, meeting_);
    meeting_->told = nullptr;
    if (meeting_->arrived) acknowledge(meeting_->arrived->to, false);
    meeting_->arrived.reset();
}

bool waiting_agent::offered() const noexcept { return !meeting_->begun && meeting_->arrived.has_value(); }

// False: the agent has left.
http::awaitable<bool> waiting_agent::next(http::exchange& x)
{
    while (!meeting_->arrived) {
        const auto until = clock::now() + look_again;
        // A server that stops ends every wait of the exchange at once; what is on its way may still arrive.
        if (x.stopping())
            co_await meeting_->told->wait(x.core().timers(), until);
        else if (co_await x.wait(*meeting_->told, until) == http::woke::gone)
            co_return false;
    }
    co_return true;
}

http::awaitable<void> waiting_agent::pass_on(http::exchange& x)
{
    message head = std::move(*meeting_->arrived);
    meeting_->arrived.reset();
    meeting_->begun = true;
    std::vector<field> headers;
    for (const auto& [name, value] : head.headers) headers.push_back({name, value});
    bool took = co_await x.begin_response(head.status, headers, head.length);
    acknowledge(head.to, took);
    while (took) {
        if (!co_await next(x)) co_return;
        message m = std::move(*meeting_->arrived);
        meeting_->arrived.reset();
        switch (m.what) {
        case message::kind::piece:
            took = co_await x.write_body(m.bytes);
            acknowledge(m.to, took);
            break;
        case message::kind::end: co_await x.end_response(); co_return;
        case message::kind::head:
        case message::kind::cut: x.abort_response(); co_return;
        }
    }
}

// --- the sender's side ----------------------------------------------------------------------------------------------------

long_answer::long_answer(const handovers& all, hold_id hold, action_id action, http::core& core)
    : all_(all),
      hold_(hold),
      action_(action),
      core_(core)
{
}

long_answer::~long_answer() { finish(false); }

http::awaitable<bool> long_answer::tell(std::shared_ptr<meeting> whom, message m)
{
    const auto answer = std::make_shared<reply>(core_);
    m.to = answer;
    const auto carried = std::make_shared<message>(std::move(m));
    whom->core.post([whom, carried] { whom->put(std::move(*carried)); });
    while (!answer->took) co_await answer->given.wait(core_.timers(), clock::now() + look_again);
    co_return *answer->took;
}

http::awaitable<bool> long_answer::begin(int status, std::span<const std::pair<std::string, std::string>> headers,
                                         std::optional<std::uint64_t> length)
{
    const auto waiting = all_.waiting_for(hold_);
    for (const auto& one : waiting) {
        message head;
        head.what = message::kind::head;
        head.status = status;
        head.headers.assign(headers.begin(), headers.end());
        head.headers.emplace_back("Sallyport-Action", action_.text());
        head.headers.emplace_back("Sallyport-Hold", hold_.text());
        head.length = length;
        // From here on, should this be cancelled: one that has taken it is told.
        taker_ = one;
        auto told = tell(one, std::move(head));
        if (co_await std::move(told)) co_return true;
    }
    taker_.reset();
    co_return false;
}

http::awaitable<bool> long_answer::write(std::string_view bytes)
{
    message piece;
    piece.what = message::kind::piece;
    piece.bytes = bytes;
    auto told = tell(taker_, std::move(piece));
    const bool took = co_await std::move(told);
    if (!took) taker_.reset();
    co_return took;
}

http::awaitable<void> long_answer::end(bool whole)
{
    finish(whole);
    co_return;
}

void long_answer::finish(bool whole) noexcept
try {
    if (!taker_) return;
    http::core& core = taker_->core;
    const auto what = whole ? message::kind::end : message::kind::cut;
    core.post([whom = std::move(taker_), what] {
        message last;
        last.what = what;
        whom->put(std::move(last));
    });
} catch (const std::exception& e) {
    log::error("an answer's end was not passed on", {{"cause", e.what()}});
}

}  // namespace sallyport::release
