// What GStreamer reports, as an Error with a text that says what to do: which device is missing, which Debian package
// has an element.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <string_view>

#include "atm0s/result.h"

namespace atm0s::gst {

// The Debian 12 package of a plugin's element; "" for one that is not known here.
std::string_view package_of(std::string_view element);

// Whether these elements are there; NOT_SUPPORTED names the first that is not, and its package.
Result<void> check_elements(std::initializer_list<std::string_view> elements);

// Of gst_parse_launch(); `context` knows which elements it did not find, and may be NULL.
Error problem_of_description(const GError& error, GstParseContext* context);
// Of a message of a pipeline's bus: an error, or a warning by which autovideosink and its like say that they found no
// device. Nothing: no problem.
std::optional<Error> problem_of(GstMessage* message);

}  // namespace atm0s::gst
