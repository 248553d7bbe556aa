#include "gateway/metrics/metrics.hpp"

#include <algorithm>
#include <charconv>

namespace sallyport::metrics {
namespace {

thread_local std::size_t this_core = 0;

std::string label_text(const labels& all)
{
    std::string text;
    for (const auto& [name, value] : all) {
        if (!text.empty()) text += ',';
        text += name;
        text += "=\"";
        for (const char c : value) {
            if (c == '\\' || c == '"') text += '\\';
            if (c == '\n')
                text += "\\n";
            else
                text += c;
        }
        text += '"';
    }
    return text;
}

void append_number(std::string& out, double n)
{
    std::array<char, 32> text;
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), n).ptr);
}

void append_head(std::string& out, std::string_view family, std::string_view help, std::string_view type)
{
    out += "# HELP ";
    out += family;
    out += ' ';
    out += help;
    out += "\n# TYPE ";
    out += family;
    out += ' ';
    out += type;
    out += '\n';
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view with, std::string_view more,
                   double value)
{
    out += name;
    out += suffix;
    if (!with.empty() || !more.empty()) {
        out += '{';
        out += with;
        if (!with.empty() && !more.empty()) out += ',';
        out += more;
        out += '}';
    }
    out += ' ';
    append_number(out, value);
    out += '\n';
}

template <class Metric, class Families>
Metric& child(Families& families, std::string_view name, std::string_view help, const labels& with)
{
    auto found = families.find(name);
    if (found == families.end()) found = families.emplace(std::string(name), typename Families::mapped_type{std::string(help), {}}).first;
    auto& made = found->second.children[label_text(with)];
    if (!made) made = std::make_unique<Metric>();
    return *made;
}

}  // namespace

void set_core(std::size_t index) noexcept { this_core = index; }

void counter::add(std::uint64_t n) noexcept { cells_[this_core % cells].count.fetch_add(n, std::memory_order_relaxed); }

std::uint64_t counter::value() const noexcept
{
    std::uint64_t sum = 0;
    for (const cell& c : cells_) sum += c.count.load(std::memory_order_relaxed);
    return sum;
}

void histogram::observe(duration d) noexcept
{
    const auto us = std::max<std::int64_t>(d.count(), 0);
    const auto bucket = std::lower_bound(bounds_us.begin(), bounds_us.end(), us) - bounds_us.begin();
    buckets_[static_cast<std::size_t>(bucket)].add();
    sum_us_.add(static_cast<std::uint64_t>(us));
}

void histogram::write(std::string& out, std::string_view family, std::string_view with) const
{
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        below += buckets_[i].value();
        std::string bound = "le=\"";
        if (i < bounds_us.size())
            append_number(bound, static_cast<double>(bounds_us[i]) / 1e6);
        else
            bound += "+Inf";
        bound += '"';
        append_sample(out, family, "_bucket", with, bound, static_cast<double>(below));
    }
    append_sample(out, family, "_sum", with, {}, static_cast<double>(sum_us_.value()) / 1e6);
    append_sample(out, family, "_count", with, {}, static_cast<double>(below));
}

counter& registry::count(std::string_view name, std::string_view help, const labels& with)
{
    const std::lock_guard lock(mutex_);
    return child<counter>(counters_, name, help, with);
}

histogram& registry::time(std::string_view name, std::string_view help, const labels& with)
{
    const std::lock_guard lock(mutex_);
    return child<histogram>(histograms_, name, help, with);
}

std::string registry::text() const
{
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, f] : counters_) {
        append_head(out, name, f.help, "counter");
        for (const auto& [with, c] : f.children) append_sample(out, name, {}, with, {}, static_cast<double>(c->value()));
    }
    for (const auto& [name, f] : histograms_) {
        append_head(out, name, f.help, "histogram");
        for (const auto& [with, h] : f.children) h->write(out, name, with);
    }
    return out;
}

void write_gauge(std::string& out, std::string_view name, std::string_view help, const std::vector<gauge_value>& values)
{
    append_head(out, name, help, "gauge");
    for (const gauge_value& v : values) append_sample(out, name, {}, label_text(v.labels), {}, v.value);
}

}  // namespace sallyport::metrics
