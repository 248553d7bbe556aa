#include "gateway/audit/recorder.hpp"

#include "gateway/audit/leaf.hpp"
#include "tests/storage/fixture.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <map>
#include <string>
#include <vector>

namespace sallyport::audit {
namespace {

using namespace std::chrono_literals;
namespace audit_store = storage::audit_store;

constexpr auto patience = 60s;

journal_uuid next_uuid()
{
    static std::atomic<std::uint8_t> made{0};
    journal_uuid uuid{};
    uuid[0] = ++made;
    return uuid;
}

action_id action(std::uint32_t n)
{
    std::array<std::uint8_t, 10> random{};
    for (std::size_t i = 0; i < 4; ++i) random[9 - i] = static_cast<std::uint8_t>(n >> (8 * i));
    return action_id::make(time_point(1'795'716'963s), random);
}

void record_verdict(journal& to, std::uint32_t n)
{
    verdict_record r;
    r.at = time_point(1'795'716'963s) + std::chrono::microseconds(n);
    r.action = action(n);
    r.agent = storage::some_id<agent_id>(1);
    r.route = "payments";
    r.rules = "small-refunds";
    r.policy = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    r.method = "POST";
    r.authority = "api.payments.example";
    r.target = "/v1/refunds";
    r.content.emplace();
    std::string bytes;
    encode(r, bytes);
    REQUIRE(to.append(bytes));
}

void record_outcome(journal& to, std::uint32_t n)
{
    std::string bytes;
    encode(outcome_record{time_point(1'795'716'964s), action(n), storage::some_id<agent_id>(1), 201, {}}, bytes);
    REQUIRE(to.append(bytes));
}

struct recorded {
    storage::temporary_directory directory;
    storage::fixture f{2};
    jose::private_key key = jose::private_key::generate(jose::key_type::ed25519).value();
    log_tree tree() const { return log_tree(key); }

    /// What the log tells of each action: `v`, `o`, and `+` for a verdict with its outcome.
    std::map<action_id, std::string> told()
    {
        std::map<action_id, std::string> all;
        for (std::int64_t from = 0;; from += 1000) {
            const auto entries = f.in([&](storage::transaction& tx) { return audit_store::read(tx, from, 1000); });
            for (const auto& e : entries)
                all[*e.action] += e.kind == "outcome" ? "o" : e.data.find("\"outcome\"") == std::string::npos ? "v" : "+";
            if (entries.size() < 1000) return all;
        }
    }
    /// Whether the checkpoint is of all that is in the log.
    bool under_checkpoint()
    {
        const auto head = f.in([](storage::transaction& tx) { return audit_store::head(tx); });
        const auto range = tree::compact_range::decode(head.tree);
        return !log_tree::behind(head) && range && range->size() == static_cast<std::uint64_t>(head.size);
    }
};

}  // namespace

TEST_CASE("what journals have comes into the log once, over batches, segments and restarts")
{
    recorded r;
    constexpr std::uint32_t calls = 3000, in_flight = 40;
    {
        // Small segments: several a journal.
        journal one(r.directory.path(), next_uuid, 256 << 10), two(r.directory.path(), next_uuid, 256 << 10);
        recorder all(r.f.db(), r.tree(), {&one, &two}, r.directory.path(), r.directory.path() / "checkpoint");
        for (std::uint32_t n = 0; n < calls + in_flight; ++n) {
            journal& core = n % 2 == 0 ? one : two;
            if (n < calls) record_verdict(core, n);
            if (n >= in_flight) record_outcome(core, n - in_flight);
            if (n == 500) all.catch_up(patience);
        }
        all.catch_up(patience);
        CHECK(all.pending_bytes() == 0);
        CHECK(r.under_checkpoint());
        // Not over when the process ends.
        for (std::uint32_t n = calls; n < calls + 5; ++n) record_verdict(one, n);
        all.stop();
    }
    const auto before = r.told();
    REQUIRE(before.size() == calls + 5);
    std::size_t whole = 0;
    for (const auto& [id, said] : before) {
        CHECK((said == "+" || said == "vo" || id >= action(calls)));
        whole += said == "+";
    }
    CHECK(whole > 0);  // which ones is decided by when each round came (call_entry_test)
    {
        journal after(r.directory.path(), next_uuid);
        for (std::uint32_t n = calls; n < calls + 5; ++n) record_outcome(after, n);
        recorder all(r.f.db(), r.tree(), {&after}, r.directory.path(), r.directory.path() / "checkpoint");
        all.catch_up(patience);
        CHECK(all.log_size() == r.f.in([](storage::transaction& tx) { return audit_store::head(tx).size; }));
    }
    for (const auto& [id, said] : r.told()) CHECK((said == "+" || said == "vo"));
    CHECK(r.under_checkpoint());
}

TEST_CASE("what a call costs when it is shipped (figures, no judgement)" * doctest::skip())
{
    recorded r;
    constexpr std::uint32_t calls = 100'000;
    journal core(r.directory.path(), next_uuid);
    for (std::uint32_t n = 0; n < calls; ++n) {
        record_verdict(core, n);
        if (n >= 64) record_outcome(core, n - 64);
    }
    const auto cpu = [] {
        rusage used{};
        ::getrusage(RUSAGE_SELF, &used);
        return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
               static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    };
    const double before = cpu();
    recorder all(r.f.db(), r.tree(), {&core}, r.directory.path(), r.directory.path() / "checkpoint");
    all.catch_up(patience);
    CHECK(all.pending_bytes() == 0);
    const double spent = (cpu() - before) / calls;
    MESSAGE(spent << " µs of this process a call, " << all.log_size() << " entries of " << calls << " calls");
}

}  // namespace sallyport::audit
