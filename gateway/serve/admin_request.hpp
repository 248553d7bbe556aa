// A request to the administrator's API, taken apart: its path's segments, its query, the members of its body.
#pragma once

#include "gateway/canonical/json.hpp"
#include "gateway/serve/services.hpp"
#include "storage/audit_store.hpp"
#include "workflows/result.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::serve {

struct admin_request {
    std::string method;
    std::vector<std::string> path;  // decoded segments
    std::map<std::string, std::string, std::less<>> query;
    std::optional<json::document> body;

    /// Of the query; empty when it is absent.
    std::string_view given(std::string_view name) const;
    /// A text of the body; empty when it is absent.
    std::string text(std::string_view name) const;
    bool flag(std::string_view name) const;
    std::vector<std::string> texts(std::string_view name) const;
    /// `invalid_input` for a body with other members than these.
    result<void> only(std::initializer_list<std::string_view> names) const;
    bool is(std::string_view verb, std::initializer_list<std::string_view> segments) const;  // `*` stands for any one
};

/// The words of a comma list; `invalid_input` for one that `named` does not know, which calls itself a `what`.
template <class Word>
result<std::vector<Word>> words_of(std::string_view list, std::optional<Word> (*named)(std::string_view) noexcept, std::string_view what)
{
    std::vector<Word> all;
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        const auto one = named(list.substr(0, end));
        if (!one) return fail(problem::invalid_input, "There is no " + std::string(what) + " " + std::string(list.substr(0, end)) + ".");
        all.push_back(*one);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return all;
}

using admin_answer = result<boost::json::object>;

/// `admin` entry of the record, at the database's time.
storage::audit_entry admin_entry(storage::transaction&, std::string_view act, boost::json::object data);

// Each resource says no with none when the request is not for it.
std::optional<admin_answer> admin_agents(services&, const admin_request&);
std::optional<admin_answer> admin_people(services&, const admin_request&);
std::optional<admin_answer> admin_credentials(services&, const admin_request&);
std::optional<admin_answer> admin_holds(services&, const admin_request&);
std::optional<admin_answer> admin_grants(services&, const admin_request&);
std::optional<admin_answer> admin_audit(services&, const admin_request&);

}  // namespace sallyport::serve
