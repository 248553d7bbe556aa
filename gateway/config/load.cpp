#include "gateway/config/load.hpp"

#include "gateway/config/draft.hpp"
#include "gateway/config/read_file.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

namespace sallyport::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 1'000;
constexpr std::size_t longest_directory = 16 << 20;  // bytes of all files

struct top_level_key {
    std::string_view name;
    bool once;  // over all files
    void (*read)(draft&, const value&);
};
// In the order of reading: what is referred to comes before what refers to it.
constexpr top_level_key top_level[] = {
    {"listen", true, read_listen},
    {"public_url", true, read_public_url},
    {"agents_url", true, read_agents_url},
    {"database", true, read_database},
    {"tls", true, read_tls},
    {"limits", false, read_limits},
    {"notifiers", false, read_notifiers},
    {"sign_in", true, read_sign_in},
    {"schedules", false, read_schedules},
    {"routes", false, read_routes},
    {"workflows", false, read_workflows},
    {"policies", false, read_policies},
};

void open_files(draft& d, const fs::path& directory)
{
    const auto fail = [&](const std::string& name, const std::string& message) {
        d.complete = false;
        d.read.errors.push_back({one_line(name), 0, 0, one_line(message)});
    };
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        auto name = at->path().filename().string();
        if (is_configuration_file(name)) names.push_back(std::move(name));
    }
    if (error) return fail(directory.string(), "this directory cannot be read: " + error.message());
    if (names.empty()) return fail(directory.string(), "there is no *.yaml file in this directory");
    if (names.size() > most_files) return fail(directory.string(), "more than " + std::to_string(most_files) + " files");
    std::sort(names.begin(), names.end());

    auto absolute = fs::absolute(directory, error).lexically_normal();
    if (!absolute.has_filename()) absolute = absolute.parent_path();
    std::size_t total = 0;
    for (const auto& name : names) {
        const std::string shown_name = one_line((directory / name).string());
        auto text = read_file(directory / name, yaml::longest_text);
        if (!text) {
            d.complete = false;
            d.read.errors.push_back({shown_name, 1, 1, text.error().detail});
            continue;
        }
        total += text->size();
        if (total > longest_directory) return fail(directory.string(), "more than 16 MiB of files");
        std::vector<yaml::mistake> mistakes;
        auto document = yaml::document::parse(*std::move(text), mistakes);
        for (auto& m : mistakes) d.read.errors.push_back({shown_name, m.where.line, m.where.column, one_line(m.message)});
        if (document)
            d.files.push_back({shown_name, absolute, *std::move(document)});
        else
            d.complete = false;
    }
}

void read_sections(draft& d)
{
    std::vector<std::string_view> names;
    for (const auto& key : top_level) names.push_back(key.name);
    std::vector<section> roots;
    for (const auto& file : d.files) roots.emplace_back(d.read, value{&file, &file.document.root()}, "the file", names);
    for (const auto& key : top_level)
        for (const auto& root : roots) {
            const auto e = root.find_entry(key.name);
            if (!e) continue;
            if (key.once) {
                const auto [first, is_new] = d.once.emplace(key.name, e->value);
                if (!is_new) {
                    d.read.error_at_key(*e, "`" + std::string(key.name) + "` is already in " + reading::place(first->second));
                    continue;
                }
            }
            key.read(d, e->value);
        }
}

void tidy(std::vector<finding>& findings)
{
    std::sort(findings.begin(), findings.end());
    findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
}

load_result read_all(const fs::path& directory)
{
    draft d;
    open_files(d, directory);
    read_sections(d);
    d.config.settle_urls();
    compile_rules(d);
    load_result result;
    if (d.read.errors.empty()) {
        warn_of_leftovers(d);
        d.config.index_routes();
        d.config.arranged.conditions = std::move(d.expressions);
        d.config.digest = digest_of(d.config, d.rules, d.files.front().directory);
        result.config = std::make_shared<configuration>(std::move(d.config));
    }
    result.errors = std::move(d.read.errors);
    result.warnings = std::move(d.read.warnings);
    tidy(result.errors);
    tidy(result.warnings);
    return result;
}

}  // namespace

bool is_configuration_file(std::string_view name) noexcept
{
    if (name.starts_with('.')) return false;
    for (const std::string_view ending : {".yaml", ".yml"}) {
        if (!name.ends_with(ending)) continue;
        name.remove_suffix(ending.size());
        return !name.empty() && !name.ends_with(".test");
    }
    return false;
}

load_result load(const fs::path& directory)
{
    try {
        return read_all(directory);
    } catch (const std::exception& e) {
        return {
            nullptr, {{one_line(directory.string()), 0, 0, one_line(std::string("the configuration could not be read: ") + e.what())}}, {}};
    }
}

bool draft::add(places& to, std::string_view what, const std::string& name, const value& at)
{
    const auto [first, is_new] = to.emplace(name, at);
    if (!is_new) read.error(at, "the " + std::string(what) + " `" + shown(name) + "` is already in " + reading::place(first->second));
    return is_new;
}

bool draft::known(const places& where, const value& at, std::string_view what, std::string_view name)
{
    if (where.contains(name)) return true;
    if (!complete) return false;
    read.error(at, unknown(where, what, name));
    return false;
}

std::string draft::unknown(const places& where, std::string_view what, std::string_view name)
{
    std::vector<std::string_view> names;
    for (const auto& [each, place] : where) names.push_back(each);
    const auto meant = nearest(name, names);
    return "there is no " + std::string(what) + " `" + shown(name) + "`" +
           (meant.empty() ? "" : "; did you mean `" + std::string(meant) + "`?");
}

}  // namespace sallyport::config
