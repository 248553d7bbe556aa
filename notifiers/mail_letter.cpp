#include "notifiers/mail_letter.hpp"

#include "notifiers/mail_text.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace sallyport::notifiers {
namespace {

// In characters. A subject that is longer is seen by nobody; what is cut in the text is whole on the page.
constexpr std::size_t longest_subject = 120, longest_words = 1'000, longest_request = 300, longest_lead = 1'000, longest_fact = 200;
constexpr std::size_t most_listed = 10;

constexpr std::string_view quotes_title = "In the agent's words";
constexpr std::string_view quotes_note = "A link among these words is the agent's, not Sallyport's.";

std::string minute(time_point t) { return format_rfc3339(t).replace(10, 1, " ").substr(0, 16) + " UTC"; }

// `a, b and 3 more`.
std::string some_of(const std::vector<std::string>& names, bool& cut)
{
    std::string text;
    const std::size_t shown = std::min(names.size(), most_listed);
    for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : "") + shortened(names[i], longest_fact, cut);
    if (shown == names.size()) return text;
    cut = true;
    return text + " and " + std::to_string(names.size() - shown) + " more";
}

std::vector<letter::quote> quotes_of(const notice& n, bool& cut)
{
    std::vector<letter::quote> quotes;
    for (const notice_reason& r : n.reasons) {
        if (quotes.size() == most_listed) {
            cut = true;
            break;
        }
        if (!one_line(r.summary).empty())
            quotes.push_back({"Rule " + shortened(r.rule, longest_fact, cut), shortened(r.summary, longest_words, cut)});
    }
    quotes.push_back({"Request", shortened(n.method + ' ' + n.authority + n.target, longest_request, cut)});
    return quotes;
}

std::vector<letter::fact> facts_of(const notice& n, bool& cut)
{
    const auto short_fact = [&](const std::string& text) { return shortened(text, longest_fact, cut); };
    std::vector<letter::fact> facts;
    const auto add = [&](const char* label, std::string value) {
        if (!value.empty()) facts.push_back({label, std::move(value)});
    };
    add("Agent", short_fact(n.agent) + (n.owner.empty() ? std::string() : ", of " + short_fact(n.owner)));
    add("Route", short_fact(n.route));
    add(n.workflows.size() > 1 ? "Workflows" : "Workflow", some_of(n.workflows, cut));
    add("Approvals", std::to_string(n.approvals_given) + " of " + std::to_string(n.approvals_needed));
    add("Asked", minute(n.created_at));
    if (is_question(n.what))
        add("Expires", minute(n.expires_at));
    else if (n.closed_at)
        add("Ended", minute(*n.closed_at));
    add("Hold", n.hold.text());
    return facts;
}

bool may_be_linked(std::string_view link) noexcept
{
    return (link.starts_with("https://") || link.starts_with("http://")) &&
           std::ranges::all_of(link, [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '<' && c != '>'; });
}

std::string escaped(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
    return out;
}

// Colours stand with each element, for mail programs that drop the sheet; the sheet has those for the dark.
constexpr std::string_view head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>)";
constexpr std::string_view sheet =
    R"(</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
.ground { background: #141516 !important; }
.sheet { background: #1b1c1e !important; border-color: #2c2e31 !important; color: #ecebe8 !important; }
.words { background: #121314 !important; border-color: #7d8087 !important; color: #ecebe8 !important; }
.quiet { color: #a5a39d !important; }
.go { background: #53c1a6 !important; color: #04211a !important; }
}
</style>
</head>
<body class="ground" style="margin:0;padding:24px 12px;background:#faf9f7">
<table role="presentation" align="center" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;margin:0 auto"><tr>
<td class="sheet" style="padding:28px;background:#ffffff;border:1px solid #e7e4de;border-radius:12px;color:#1d1c1a;)"
    R"(font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">
)";
constexpr std::string_view foot = "</td>\n</tr></table>\n</body>\n</html>\n";
constexpr std::string_view quiet = R"(class="quiet" style="margin:0 0 8px;color:#635f57;font-size:14px")";

std::string quiet_paragraph(std::string_view text)
{
    return text.empty() ? std::string() : "<p " + std::string(quiet) + ">" + escaped(text) + "</p>\n";
}

}  // namespace

letter letter_of(const notice& n, std::string_view public_url)
{
    const bool asked = is_question(n.what), loud = n.what == notice::kind::glass_broken, first = n.what == notice::kind::asked;
    letter l;
    bool cut = false;
    // The same for all kinds: mail programs put into one thread what has one subject.
    const std::string_view opening = loud ? "BREAK-GLASS: " : first ? "To decide: " : "Re: To decide: ";
    l.subject = shortened(std::string(opening) + sentence(n), longest_subject + (first ? 0 : 4), cut);
    l.headline = loud     ? "Break-glass: approved by one person alone"
                 : !asked ? "No decision is needed any more"
                 : first  ? "Your decision is needed"
                          : "Your decision is still needed";
    if (asked)
        l.lead = "The agent " + shortened(n.agent, longest_fact, cut) +
                 " wants to make a call that waits for you, or somebody else who may decide.";
    else
        l.lead = shortened(outcome_sentence(n), longest_lead, cut);
    l.quotes = quotes_of(n, cut);
    l.facts = facts_of(n, cut);
    if (may_be_linked(n.link)) l.link = n.link;
    l.link_label = asked ? "Look at it and decide" : "Look at what happened";
    if (cut) l.cut = "What ends with “" + std::string(cut_mark) + "” or is counted only is shortened here: the page shows everything.";
    if (asked)
        l.advice = n.decision_token.empty()
                       ? "This mail decides nothing. The page shows the whole request, and asks for your passkey."
                       : "Opening the link decides nothing: the page shows the whole request, and two buttons. Whoever has this mail could "
                         "press one in your name, so do not pass it on.";
    l.footer = "Sent by Sallyport";
    if (may_be_linked(public_url)) l.footer += " at " + std::string(public_url);
    l.footer += ". Nobody reads answers to this mail.";
    return l;
}

std::string text_of(const letter& l)
{
    std::string text;
    const auto add = [&](std::initializer_list<std::string_view> parts) {
        for (const std::string_view part : parts) text += part;
    };
    add({l.headline, "\n\n", l.lead, "\n\n", quotes_title, ":\n\n"});
    for (const auto& q : l.quotes) add({q.label, ":\n> ", q.words, "\n\n"});
    add({"(", quotes_note, ")\n\n"});
    for (const auto& f : l.facts) add({f.label, ": ", f.value, "\n"});
    if (!l.link.empty()) add({"\n", l.link_label, ":\n", l.link, "\n"});
    for (const auto* note : {&l.cut, &l.advice})
        if (!note->empty()) add({"\n", *note, "\n"});
    add({"\n-- \n", l.footer, "\n"});
    return text;
}

std::string html_of(const letter& l)
{
    std::string html(head);
    html += escaped(l.subject);
    html += sheet;
    html += R"(<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3">)" + escaped(l.headline) + "</h1>\n";
    html += R"(<p style="margin:0 0 20px">)" + escaped(l.lead) + "</p>\n";
    html += R"(<blockquote class="words" style="margin:0 0 20px;padding:14px 16px;background:#f4f2ee;border-left:4px solid #8d887e;)"
            R"(color:#1d1c1a;overflow-wrap:anywhere;word-break:break-word">)"
            "\n";
    html += "<p " + std::string(quiet) + "><strong>" + escaped(quotes_title) + "</strong></p>\n";
    for (const auto& q : l.quotes)
        html += quiet_paragraph(q.label) + R"(<p style="margin:0 0 14px;font-size:17px">)" + escaped(q.words) + "</p>\n";
    html += quiet_paragraph(quotes_note) + "</blockquote>\n";
    html += R"(<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 20px;font-size:14px;line-height:1.6">)"
            "\n";
    for (const auto& f : l.facts)
        html += R"(<tr><td class="quiet" style="padding:0 16px 0 0;color:#635f57;vertical-align:top;white-space:nowrap">)" +
                escaped(f.label) + R"(</td><td style="overflow-wrap:anywhere;word-break:break-word">)" + escaped(f.value) + "</td></tr>\n";
    html += "</table>\n";
    if (!l.link.empty())
        html += R"(<p style="margin:0 0 20px"><a class="go" href=")" + escaped(l.link) +
                R"(" style="display:inline-block;padding:12px 20px;background:#0b6353;border-radius:8px;color:#ffffff;font-weight:600;)"
                R"(text-decoration:none">)" +
                escaped(l.link_label) + "</a></p>\n";
    html += quiet_paragraph(l.cut) + quiet_paragraph(l.advice) + quiet_paragraph(l.footer);
    html += foot;
    return html;
}

}  // namespace sallyport::notifiers
