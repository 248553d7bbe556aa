#include "gateway/serve/worker.hpp"

#include "gateway/jose/random.hpp"

namespace sallyport::serve {
namespace {

constexpr std::size_t most_memories = 256;        // kept for later
constexpr std::size_t largest_memory = 64 << 10;  // what was stretched further by one call is not

audit::journal_uuid random_uuid()
{
    audit::journal_uuid uuid;
    fill_random(uuid);
    return uuid;
}

}  // namespace

worker::worker(std::size_t index, metrics::registry& registry, const std::filesystem::path& journal_directory)
    : index_(index),
      registry_(registry),
      upstreams_(core_),
      journal_(journal_directory, &random_uuid)
{
}

// What runs on the core uses all that is declared after it.
worker::~worker() { core_.join(); }

void worker::adopt(const identity::standing_ptr& standing)
{
    const bool other_configuration = !standing_ || standing_->config != standing->config;
    // Counted by this core alone: every call takes and gives back a reference, and a count that cores share goes back and
    // forth between their caches.
    standing_ = identity::standing_ptr(standing.get(), [kept = standing](const identity::standing*) {});
    if (!other_configuration) return;
    if (!routes_.empty()) upstreams_.refresh();
    routes_.clear();
    for (const config::route& route : standing_->config->routes) {
        route_counters counters;
        for (const auto kind : {verdict_kind::allow, verdict_kind::hold, verdict_kind::deny})
            counters.by_verdict[static_cast<std::size_t>(kind)] =
                &registry_.count("sallyport_calls_total", "Calls that were judged.", {{"route", route.id}, {"verdict", name_of(kind)}});
        routes_.push_back(counters);
    }
}

worker::borrowed_memory worker::borrow()
{
    if (memories_.empty()) return {new call_memory, give_back{this}};
    auto memory = std::move(memories_.back());
    memories_.pop_back();
    return {memory.release(), give_back{this}};
}

void worker::give_back::operator()(call_memory* memory) const noexcept
{
    std::unique_ptr<call_memory> returned(memory);
    if (owner->memories_.size() >= most_memories || returned->target.capacity() + returned->query.capacity() > largest_memory) return;
    returned->clear();
    owner->memories_.push_back(std::move(returned));
}

worker::waiting::waiting(worker& at, hold_id hold, http::signal& told) : at_(at), place_(at.waiting_.emplace(hold, &told)) {}

worker::waiting::~waiting() { at_.waiting_.erase(place_); }

void worker::wake_waiting(hold_id hold) noexcept
{
    const auto [begin, end] = waiting_.equal_range(hold);
    for (auto one = begin; one != end; ++one) one->second->fire();
}

void worker::wake_all_waiting() noexcept
{
    for (const auto& [hold, told] : waiting_) told->fire();
}

}  // namespace sallyport::serve
