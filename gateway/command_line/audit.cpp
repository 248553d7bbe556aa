// audit show | verify | export
#include "gateway/audit/exported_log.hpp"
#include "gateway/audit/log_check.hpp"
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "gateway/policy/inert_text.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <optional>

namespace sallyport::command_line {
namespace {

std::string text(const boost::json::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

void each_entry(const context& with, const std::function<void(const boost::json::object&)>& use)
{
    const admin_client gateway(with);
    std::string next;
    do {
        const auto answer = gateway.get(next.empty() ? "/audit" : "/audit?cursor=" + next);
        for (const auto& entry : answer.at("entries").as_array()) use(entry.as_object());
        next = text(answer.at("next"));
    } while (!next.empty());
}

void show(const context& with)
{
    if (with.json) {
        each_entry(with, [](const boost::json::object& e) { print_json(e); });
        return;
    }
    table t({"INDEX", "AT", "KIND", "ACTION", "HOLD", "DATA"});
    each_entry(with, [&](const boost::json::object& e) {
        const auto data = policy::inert(boost::json::serialize(e.at("data")), 100);
        t.add({std::to_string(e.at("index").as_int64()), text(e.at("at")), text(e.at("kind")), text(e.at("action")), text(e.at("hold")),
               data});
    });
    t.print();
}

// Every so often, of what takes long; on standard error.
class progress {
public:
    explicit progress(std::int64_t of) : of_(of) {}
    void at(std::int64_t done)
    {
        const auto now = std::chrono::steady_clock::now();
        if (now - said_ < std::chrono::seconds(3)) return;
        said_ = now;
        std::cerr << done << " of " << of_ << " entries\n";
    }

private:
    std::int64_t of_;
    std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

// The log of a running gateway, as far as it is under its checkpoint.
struct running_log {
    std::string note;
    std::uint64_t entries = 0;  // those beyond the checkpoint too
    tree::verifier key;
    std::optional<tree::checkpoint> checkpoint;  // none when it is not signed by the log's key
};

running_log read_head(const admin_client& gateway)
{
    const auto answer = gateway.get("/audit/checkpoint");
    running_log log;
    log.note = text(answer.at("checkpoint"));
    log.entries = static_cast<std::uint64_t>(answer.at("entries").as_int64());
    const auto key = tree::verifier::parse(text(answer.at("vkey")));
    if (!key) throw command_failed(exit_status::no, "The gateway's key for the log cannot be read.");
    log.key = *key;
    const auto note = tree::open_note(log.note, log.key);
    if (note) log.checkpoint = tree::checkpoint::parse(*note);
    return log;
}

using leaf_user = std::function<void(std::int64_t index, const std::string& leaf, const std::optional<std::string_view>& apart)>;

// Those of the leaves 0 to `size` - 1 that there are, in order.
void each_leaf(const admin_client& gateway, std::int64_t size, const leaf_user& use)
{
    progress said(size);
    for (std::int64_t at = 0; at < size;) {
        const auto answer = gateway.get("/audit/leaves?from=" + std::to_string(at));
        const auto& leaves = answer.at("leaves").as_array();
        if (leaves.empty()) return;
        for (const auto& one : leaves) {
            const std::int64_t index = one.at("index").as_int64();
            if (index < at) throw command_failed(exit_status::no, "The gateway gives the log's entries in no order.");
            if (index >= size) return;
            at = index + 1;
            const auto* data = one.as_object().if_contains("data");
            const std::string apart = data ? text(*data) : std::string();
            use(index, text(one.at("leaf")), data ? std::optional<std::string_view>(apart) : std::nullopt);
        }
        said.at(at);
    }
}

struct answer {
    std::vector<std::string> files;
    std::size_t files_left_out = 0;
    audit::verification record;
    std::optional<tree::checkpoint> checkpoint;
    std::optional<tree::verifier> key;
    std::string remark;
};

void print_verification(context& with, const answer& a)
{
    const audit::verification& found = a.record;
    // What is wrong may be of a stranger's making, file names and all.
    const auto safe = [](std::string_view text) { return policy::inert_whole(text); };
    for (const auto& f : a.files) std::cerr << safe(f) << '\n';
    for (const auto& f : found.findings) std::cerr << "entry " << f.index << ": " << safe(f.message) << '\n';
    const std::size_t left_out = a.files_left_out + found.left_out;
    if (left_out > 0) std::cerr << "… and " << left_out << " more\n";
    const std::size_t wrong = a.files.size() + found.findings.size() + left_out;
    if (wrong > 0) with.status = exit_status::no;
    if (with.json) {
        boost::json::array findings;
        for (const auto& f : a.files) findings.push_back(boost::json::object{{"index", nullptr}, {"message", safe(f)}});
        for (const auto& f : found.findings) findings.push_back(boost::json::object{{"index", f.index}, {"message", safe(f.message)}});
        boost::json::value head;
        if (a.checkpoint)
            head =
                boost::json::object{{"origin", a.checkpoint->origin}, {"size", a.checkpoint->size}, {"root", a.checkpoint->root.base64()}};
        print_json(boost::json::object{{"ok", wrong == 0},
                                       {"entries", found.entries},
                                       {"decisions", found.decisions},
                                       {"signatures", found.signatures},
                                       {"releases", found.releases},
                                       {"checkpoint", std::move(head)},
                                       {"key", a.key ? boost::json::value(a.key->vkey()) : boost::json::value(nullptr)},
                                       {"findings", std::move(findings)},
                                       {"left_out", left_out}});
        return;
    }
    if (!a.remark.empty()) print(safe(a.remark));
    print(std::to_string(found.entries) + " entries, " + std::to_string(found.decisions) + " decisions (" +
          std::to_string(found.signatures) + " passkey signatures verified), " + std::to_string(found.releases) +
          " releases: " + (wrong == 0 ? "all in order." : std::to_string(wrong) + " findings."));
    if (wrong == 0 && a.checkpoint)
        print("They are the log of the checkpoint of size " + std::to_string(a.checkpoint->size) + ", root " + a.checkpoint->root.base64() +
              ".");
}

void verify_running(context& with, const std::optional<tree::verifier>& key)
{
    const admin_client gateway(with);
    const running_log log = read_head(gateway);
    answer a;
    a.key = log.key;
    a.checkpoint = log.checkpoint;
    if (key && *key != log.key) a.files.emplace_back("key: the log has another key than the one given");
    if (!log.checkpoint || log.checkpoint->origin != log.key.name)
        a.files.emplace_back("checkpoint: it is not signed by the log's key");
    else if (log.checkpoint->size < log.entries)
        a.files.push_back("checkpoint: covers " + std::to_string(log.checkpoint->size) + " of the log's " + std::to_string(log.entries) +
                          " entries");

    audit::log_check check;
    std::optional<digest> root;
    const auto size = static_cast<std::int64_t>(std::max(log.entries, log.checkpoint ? log.checkpoint->size : 0));
    each_leaf(gateway, size, [&](std::int64_t index, const auto& leaf, const auto& apart) {
        check.look(index, leaf, apart);
        if (log.checkpoint && check.size() == log.checkpoint->size) root = check.root();
    });
    check.ends_at(size);
    if (log.checkpoint && log.checkpoint->size == 0) root = tree::empty_root();
    if (log.checkpoint && root != log.checkpoint->root)
        a.files.emplace_back("checkpoint: it was signed for other entries than the log has");
    a.record = check.finish();
    print_verification(with, a);
}

void verify_directory(context& with, const std::string& directory, const std::optional<tree::verifier>& key)
{
    auto found = audit::verify_exported(directory, key);
    answer a{std::move(found.files), found.files_left_out, std::move(found.record), found.checkpoint, found.key, {}};
    if (!key && found.key) a.remark = "Trusted is the key that lies in the directory itself: " + found.key->vkey();
    print_verification(with, a);
}

void verify(context& with, const std::string& directory, const std::string& vkey)
{
    std::optional<tree::verifier> key;
    if (!vkey.empty()) {
        key = tree::verifier::parse(vkey);
        if (!key) throw command_failed(exit_status::usage, "--key is NAME+ID+KEY (C2SP signed-note) of an Ed25519 key.");
    }
    if (directory.empty())
        verify_running(with, key);
    else
        verify_directory(with, directory, key);
}

void export_log(const context& with, const std::string& directory)
{
    const admin_client gateway(with);
    const running_log log = read_head(gateway);
    if (!log.checkpoint) throw command_failed(exit_status::no, "The log's checkpoint is not signed by the log's key.");
    auto to = or_fail(audit::export_writer::begin(directory));
    const auto size = static_cast<std::int64_t>(log.checkpoint->size);
    std::int64_t next = 0;
    const auto demand = [&](std::int64_t index) {
        if (index != next) throw command_failed(exit_status::no, "Entry " + std::to_string(next) + " is missing from the log.");
        ++next;
    };
    each_leaf(gateway, size, [&](std::int64_t index, const std::string& leaf, const auto& apart) {
        demand(index);
        if (const auto added = to.add(leaf, apart); !added) throw command_failed(exit_status::no, added.error().detail);
    });
    demand(size);
    if (const auto done = to.finish(log.note, log.key); !done) throw command_failed(exit_status::no, done.error().detail);
    if (with.json) {
        print_json(boost::json::object{{"entries", log.checkpoint->size},
                                       {"origin", log.checkpoint->origin},
                                       {"root", log.checkpoint->root.base64()},
                                       {"key", log.key.vkey()}});
        return;
    }
    print(std::to_string(log.checkpoint->size) + " entries exported to " + directory +
          ". Whoever is to check them needs the key from you, not from there: " + log.key.vkey());
}

}  // namespace

void add_audit(CLI::App& app, context& with)
{
    auto* audit = app.add_subcommand("audit", "the log");
    audit->require_subcommand(1);
    audit->add_subcommand("show", "every entry, the oldest first")->callback([&with] { show(with); });

    struct options {
        std::string directory, key;
    };
    const auto given = std::make_shared<options>();
    auto* verifying = audit->add_subcommand(
        "verify",
        "checks the tree against its signed checkpoint, every passkey signature, and that nothing was released without its approvals");
    verifying->footer("Ends with 1 when anything is found, also while a running gateway's tree is still catching up with its log.");
    verifying->add_option("DIR", given->directory, "an exported log; without it, that of the running gateway");
    verifying->add_option("--key", given->key, "the log's key (NAME+ID+KEY); without it, the one that lies in DIR is trusted");
    verifying->callback([&with, given] { verify(with, given->directory, given->key); });

    auto* exporting = audit->add_subcommand("export", "writes the log for others to check: checkpoint, tiles, entries, key");
    exporting->add_option("DIR", given->directory, "new, or empty")->required();
    exporting->callback([&with, given] { export_log(with, given->directory); });
}

}  // namespace sallyport::command_line
