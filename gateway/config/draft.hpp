// A configuration while it is being read: what there is so far, where each thing was said, and what is wrong. The
// sections are read in the order of their references, whatever files they stand in, so that a name can be looked up
// where it is used.
#pragma once

#include "gateway/config/reader.hpp"
#include "gateway/policy/person_expression.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// A rule and where its texts stand: the compiler's errors are offsets into them.
struct written_rule {
    policy::rule_definition definition;
    value place;
    value when;
    std::optional<value> summary;
};

struct draft {
    using places = std::map<std::string, value, std::less<>>;

    reading read;
    configuration config;
    std::vector<written_rule> rules;
    std::deque<source_file> files;
    std::shared_ptr<policy::person_expressions> expressions = std::make_shared<policy::person_expressions>();

    /// False when a file could not be read at all: what is not found may stand there, so nobody is told that it is unknown.
    bool complete = true;

    // Where each name was given, also by those whose rest is wrong.
    places routes, rules_by_id, workflows, schedules, webhooks, prefixes, hosts, once;
    std::set<std::string, std::less<>> used_workflows, used_schedules;

    /// Keeps the place of a name; a second one is an error, which names the first.
    bool add(places&, std::string_view what, const std::string& name, const value&);
    /// An error, unless the name is there or may be where nothing could be read.
    bool known(const places&, const value& at, std::string_view what, std::string_view name);
    /// In words, with what may have been meant.
    static std::string unknown(const places&, std::string_view what, std::string_view name);
};

// Each reads one top-level key's value in one file.
void read_listen(draft&, const value&);
void read_public_url(draft&, const value&);
void read_agents_url(draft&, const value&);
void read_database(draft&, const value&);
void read_tls(draft&, const value&);
void read_limits(draft&, const value&);
void read_notifiers(draft&, const value&);
void read_sign_in(draft&, const value&);
void read_schedules(draft&, const value&);
void read_routes(draft&, const value&);
void read_workflows(draft&, const value&);
void read_policies(draft&, const value&);

/// After all files. Compiles the rules; errors go to their places. What is right but makes no sense becomes a warning.
void compile_rules(draft&);
void warn_of_leftovers(draft&);

/// SHA-256 in hex of RFC 8785 of what these say, sorted by id: the same whatever file, order and spelling it came in.
/// `directory` is left out of paths, so that it is the same on every machine.
std::string digest_of(const configuration&, std::span<const written_rule>, const std::filesystem::path& directory);

}  // namespace sallyport::config
