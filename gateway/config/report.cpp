#include "gateway/config/report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <vector>

namespace sallyport::config {
namespace {

std::string place_of(const finding& f)
{
    return f.line == 0 ? f.file + ": " : f.file + ":" + std::to_string(f.line) + ":" + std::to_string(f.column) + ": ";
}

boost::json::array array_of(const std::vector<finding>& findings)
{
    boost::json::array all;
    for (const auto& f : findings)
        all.push_back(boost::json::object{{"file", f.file}, {"line", f.line}, {"column", f.column}, {"message", f.message}});
    return all;
}

}  // namespace

std::string line_of(const finding& f) { return place_of(f) + f.message; }

std::string text_report(const load_result& r)
{
    std::string text;
    for (const auto& f : r.errors) text += line_of(f) + "\n";
    for (const auto& f : r.warnings) text += place_of(f) + "warning: " + f.message + "\n";
    return text;
}

std::string json_report(const load_result& r)
{
    boost::json::value policy;
    if (r.config) policy = r.config->digest;
    return boost::json::serialize(boost::json::object{
        {"ok", r.errors.empty()}, {"policy", policy}, {"errors", array_of(r.errors)}, {"warnings", array_of(r.warnings)}});
}

}  // namespace sallyport::config
