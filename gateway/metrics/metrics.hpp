// Counters and histograms in Prometheus' text format (version 0.0.4). Adding costs one relaxed addition in memory
// that no other core touches; reading sums over the cores. The families that others graph: wire.md "Metrics".
#pragma once

#include "workflows/time.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::metrics {

/// Told once by each core's thread; other threads share the cell of core 0.
void set_core(std::size_t index) noexcept;

class counter {
public:
    void add(std::uint64_t n = 1) noexcept;
    std::uint64_t value() const noexcept;

private:
    static constexpr std::size_t cells = 16;
    struct alignas(64) cell {
        std::atomic<std::uint64_t> count{0};
    };
    std::array<cell, cells> cells_;
};

/// Durations, in buckets from 10 µs to 1 h that suit both a call and a hold.
class histogram {
public:
    static constexpr std::array<std::int64_t, 22> bounds_us{
        10,     25,      50,      100,     250,       500,       1'000,      2'500,      5'000,       10'000,      25'000,
        50'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000, 30'000'000, 60'000'000, 300'000'000, 900'000'000, 3'600'000'000};
    void observe(duration) noexcept;
    void write(std::string& out, std::string_view family, std::string_view with) const;

private:
    std::array<counter, bounds_us.size() + 1> buckets_;
    counter sum_us_;
};

using labels = std::vector<std::pair<std::string_view, std::string_view>>;

/// Families and their children. Children live as long as the registry: keep the reference, not the lookup.
class registry {
public:
    counter& count(std::string_view family, std::string_view help, const labels&);
    histogram& time(std::string_view family, std::string_view help, const labels&);

    /// Everything, then what the caller appends with gauge(). Any thread.
    std::string text() const;

private:
    template <class Metric>
    struct family {
        std::string help;
        std::map<std::string, std::unique_ptr<Metric>, std::less<>> children;
    };
    mutable std::mutex mutex_;
    std::map<std::string, family<counter>, std::less<>> counters_;
    std::map<std::string, family<histogram>, std::less<>> histograms_;
};

/// A gauge's family, measured at the moment of asking.
struct gauge_value {
    metrics::labels labels;
    double value = 0;
};
void write_gauge(std::string& out, std::string_view family, std::string_view help, const std::vector<gauge_value>&);

}  // namespace sallyport::metrics
