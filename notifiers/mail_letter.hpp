// What a mail says, before it is one: a notice in words, and those words as plain text and as HTML. What the agent wrote
// stands apart from what Sallyport says, in both.
#pragma once

#include "notifiers/notice.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::notifiers {

struct letter {
    struct quote {
        std::string label;  // ours
        std::string words;  // the agent's
    };
    struct fact {
        std::string label;
        std::string value;
    };
    std::string subject;
    std::string headline;
    std::string lead;
    std::vector<quote> quotes;
    std::vector<fact> facts;
    std::string link;        // empty where there is none that may be shown
    std::string link_label;  // what the page is for
    std::string cut;         // says that something is shortened; empty where all is shown
    std::string advice;
    std::string footer;
};

/// Each text on one line and of bounded length. `public_url` says in the footer whose mail this is.
letter letter_of(const notice&, std::string_view public_url);

/// Lines end with LF.
std::string text_of(const letter&);

/// One document: no remote content, no script, and no link but the letter's.
std::string html_of(const letter&);

}  // namespace sallyport::notifiers
